"""What must hold of selections whatever the votes are (paper `confidence`, sections 3.1 and 3.2)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.steps import Bench
from w2s_jobs.contracts.artifact import Input

GSM8K = {"task": {"family": "gsm8k"}}
SAMPLES = 10

counts = st.lists(st.integers(0, SAMPLES), min_size=1, max_size=12)
threshold = st.integers(0, 100)


def votes(bench: Bench, rows: dict[str, int]) -> Input:
    listed = [
        {
            "row_id": row,
            "answer": "4" if count else None,
            "count": count,
            "valid": count,
            "total": SAMPLES,
            "sample": 0 if count else -1,
            "text": f"2 + 2 = 4 #### 4 ({count})",
            "chain_of_thought": count % 2 == 0,
        }
        for row, count in rows.items()
    ]
    return bench.artifact("grade", "votes.parquet", "votes", listed)


def select(bench: Bench, rows: dict[str, int], **params: Any) -> tuple[set[str], set[str]]:
    """Return the rows that a selection keeps and discards."""
    questions = [{"row_id": row, "question": f"{row}?", "level": None, "topic": None} for row in rows]
    inputs = {
        "votes": [votes(bench, rows)],
        "questions": [bench.artifact("prepare", "questions.parquet", "questions", questions)],
    }
    result = bench.run("select", {**GSM8K, **params}, inputs)
    kept = bench.rows(result, "kept.parquet", "examples")
    discarded = bench.rows(result, "discarded.parquet", "questions")
    assert len(kept) + len(discarded) == len(rows)
    return {row["row_id"] for row in kept}, {row["row_id"] for row in discarded}


@settings(max_examples=25)
@given(counts, threshold, threshold, st.booleans())
def test_kept_and_discarded_partition_the_questions_and_raising_the_threshold_never_grows_set_a(
    counts: list[int], one: int, other: int, chain_of_thought: bool
) -> None:
    rows = {f"q{n}": count for n, count in enumerate(counts)}
    low, high = sorted((one, other))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        kept, discarded = select(bench, rows, threshold=low, requireChainOfThought=chain_of_thought)
        fewer, _ = select(bench, rows, threshold=high, requireChainOfThought=chain_of_thought)
    assert kept | discarded == set(rows)
    assert not kept & discarded
    assert fewer <= kept


@settings(max_examples=25)
@given(
    st.lists(st.tuples(threshold, st.lists(st.integers(0, SAMPLES), min_size=8, max_size=8)), min_size=1, max_size=4)
)
def test_the_union_grows_with_every_round_and_no_question_is_learnt_twice(rounds: list[tuple[int, list[int]]]) -> None:
    left = {f"q{n}" for n in range(8)}
    union: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for index, (t, new_counts) in enumerate(rounds):
            rows = {row: new_counts[int(row[1:])] for row in sorted(left)}
            kept, left = select(bench, rows, threshold=t, requireChainOfThought=index > 0)
            assert not kept & union
            assert union | kept | left == {f"q{n}" for n in range(8)}
            union |= kept
