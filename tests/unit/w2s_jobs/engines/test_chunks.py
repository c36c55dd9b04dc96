"""A chunk that is committed is never computed again, unless it is not what it must be."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.support.steps import Bench
from w2s_jobs.context import Outcome
from w2s_jobs.engines.chunks import ChunkRows, Chunks, Computed

IDS = [f"row-{number:02d}" for number in range(23)]
SCORES = ChunkRows("scores", ("row_id",), lambda row: [(IDS[row],)])
COMPUTED = Computed(timings={"scoreSeconds": 1.5}, versions={"torch": "2.13.0"})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def chunks_of(bench: Bench, rows: int = len(IDS), **execution: Any) -> Chunks:
    spec = bench.spec("score", {"template": {"name": "direct"}, "maxSeqLen": 64}, {}, **{"chunk_rows": 5, **execution})
    return Chunks(bench.context(spec), rows, SCORES)


def scores(chunks: Chunks, chunk: int) -> list[dict[str, Any]]:
    return [{"row_id": IDS[row], "reward": row / 100} for row in chunks.ranges[chunk]]


def outcome(chunks: Chunks) -> Outcome:
    return chunks.outcome(lambda rows: {"ids": [row["row_id"] for row in rows]})


def test_what_is_committed_is_not_pending_for_the_next_attempt(bench: Bench):
    first = chunks_of(bench)
    assert first.pending() == [0, 1, 2, 3, 4]
    for chunk in (3, 1):
        first.commit(chunk, scores(first, chunk), COMPUTED)
    assert chunks_of(bench, attempt="2").pending() == [0, 2, 4]


def test_rows_come_back_in_order_whatever_order_they_were_computed_in(bench: Bench, seed: int):
    chunks = chunks_of(bench)
    chance = random.Random(seed)
    for chunk in chance.sample(chunks.pending(), 5):
        rows = scores(chunks, chunk)
        chance.shuffle(rows)
        chunks.commit(chunk, rows, COMPUTED)
    result = outcome(chunks)
    assert result.complete
    assert result.metrics["ids"] == IDS
    assert "scores/rows-00000020-00000023.parquet" in result.parts


@pytest.mark.parametrize("broken", ["a row is missing", "a row is twice", "another's rows", "no Parquet"])
def test_a_damaged_chunk_is_pending_again(bench: Bench, broken: str):
    chunks = chunks_of(bench)
    rows = {
        "a row is missing": scores(chunks, 0)[1:],
        "a row is twice": scores(chunks, 0) + scores(chunks, 0)[:1],
        "another's rows": scores(chunks, 1),
        "no Parquet": [],
    }[broken]
    chunks.commit(0, rows, COMPUTED)
    if broken == "no Parquet":
        next(Path(bench.folder / "store").rglob("rows-00000000-00000005.parquet")).write_bytes(b"PAR1")
    assert chunks_of(bench, attempt="2").pending() == [0, 1, 2, 3, 4]


def test_the_shard_that_finds_all_chunks_returns_them(bench: Bench):
    shards = [chunks_of(bench, shard=number, shards=2) for number in range(2)]
    for chunks in shards:
        for chunk in chunks.pending():
            chunks.commit(chunk, scores(chunks, chunk), COMPUTED)
        if chunks is shards[0]:
            assert not outcome(chunks).complete
    assert outcome(shards[1]).metrics["ids"] == IDS


def test_an_attempt_that_finds_all_chunks_there_says_how_the_one_before_computed_them(bench: Bench):
    first = chunks_of(bench)
    for chunk in first.pending():
        first.commit(chunk, scores(first, chunk), COMPUTED)
    again = chunks_of(bench, attempt="2")
    assert again.pending() == []
    result = outcome(again)
    assert (result.timings, result.versions) == (COMPUTED.timings, COMPUTED.versions)


def test_a_note_that_is_damaged_costs_timings_and_versions_only(bench: Bench):
    chunks = chunks_of(bench)
    for chunk in chunks.pending():
        chunks.commit(chunk, scores(chunks, chunk), COMPUTED)
    next(Path(bench.folder / "store").rglob("scores-0000.json")).write_text("{")
    again = chunks_of(bench, attempt="2")
    again.pending()
    assert outcome(again).complete
    assert outcome(again).versions == {}


def test_a_step_without_rows_has_one_empty_chunk_and_nothing_to_do(bench: Bench):
    chunks = chunks_of(bench, rows=0)
    assert chunks.pending() == []
    result = outcome(chunks)
    assert result.complete
    assert list(result.parts) == ["scores/rows-00000000-00000000.parquet"]
