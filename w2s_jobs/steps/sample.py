"""sample: draw completions for questions, chunk by chunk. A killed run goes on after its last chunk."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.artifact import FileEntry
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.step_params import SampleParams
from w2s_jobs.core.prompts import render
from w2s_jobs.core.seeds import derive_seed
from w2s_jobs.core.shards import chunk_ranges, shard_range
from w2s_jobs.store.rows import read_rows, write_rows

__all__ = ["run"]

log = logging.getLogger(__name__)

FOLDER = "samples/"


@dataclass
class _Chunks:
    """The chunks of the step: global row ranges, so that any number of shards commits the same ones."""

    rows: list[dict[str, Any]]
    n: int
    ranges: list[range]
    committed: dict[int, FileEntry] = field(default_factory=dict)

    def name(self, chunk: int) -> str:
        return f"{FOLDER}rows-{self.ranges[chunk].start:08d}-{self.ranges[chunk].stop:08d}.parquet"

    def expected(self, chunk: int) -> set[tuple[str, int]]:
        return {(self.rows[row]["row_id"], sample) for row in self.ranges[chunk] for sample in range(self.n)}


def run(context: StepContext, params: SampleParams) -> Outcome:
    """Commit every chunk of this shard; the shard that finds all chunks of all shards present returns them."""
    rows = read_rows(context.input("questions"), "questions")
    chunks = _Chunks(rows, params.sampling.n, chunk_ranges(len(rows), context.execution.chunk_rows) or [range(0)])
    mine = shard_range(len(chunks.ranges), context.execution.shard, context.execution.shards)
    _find_committed(context, chunks, mine)
    pending = [chunk for chunk in mine if chunk not in chunks.committed]
    log.info("%d questions in %d chunks; %d of this shard's are to be sampled", len(rows), len(mine), len(pending))
    timings, versions = _sample(context, params, chunks, pending) if pending else ({}, {})
    if context.execution.shards > 1:
        _find_committed(context, chunks, range(len(chunks.ranges)))
    complete = len(chunks.committed) == len(chunks.ranges)
    return Outcome(
        parts={chunks.name(chunk): entry for chunk, entry in chunks.committed.items()},
        metrics=_metrics(context, chunks) if complete else {},
        timings=timings,
        versions=versions,
        complete=complete,
    )


def _find_committed(context: StepContext, chunks: _Chunks, wanted: range) -> None:
    """Check the chunks that are in the store already; one that is not exactly what it must be is sampled again."""
    there = context.store.list_parts(context.ref, FOLDER)
    for chunk in wanted:
        name = chunks.name(chunk)
        if chunk in chunks.committed or name not in there:
            continue
        local = context.work_dir / name
        entry = context.store.get_part(context.ref, name, local)
        try:
            found = [(row["row_id"], row["sample"]) for row in read_rows(local, "samples")]
        except InputError:
            found = []
        if len(found) == len(set(found)) and set(found) == chunks.expected(chunk):
            chunks.committed[chunk] = entry
        else:
            log.warning("chunk %s is damaged: it is sampled again", name)


def _sample(
    context: StepContext, params: SampleParams, chunks: _Chunks, pending: list[int]
) -> tuple[dict[str, float], dict[str, str]]:
    from w2s_jobs.engines.open_sampler import open_sampler  # heavy: only where there is work for it

    started = time.monotonic()
    total = sum(len(chunks.ranges[chunk]) for chunk in pending)
    context.progress(0, total, "rows")
    if total == 0:
        for chunk in pending:
            _commit(context, chunks, chunk, [])
        return {}, {}

    def stop_if_told() -> None:
        context.stop_here(f"{len(chunks.committed)} chunks are committed")

    stop_if_told()
    sampler, encode = open_sampler(context, params)
    ready = time.monotonic()
    tokens = samples = 0
    collected: dict[int, list[dict[str, Any]]] = {chunk: [] for chunk in pending}
    for completion in sampler.complete(_requests(params, chunks, pending, encode), stop_if_told):
        request = completion.request
        tokens, samples = tokens + completion.tokens, samples + 1
        collected[request.chunk].append(
            {
                "row_id": request.row_id,
                "sample": request.sample,
                "text": completion.text.strip(),
                "finish_reason": completion.finish_reason,
                "tokens": completion.tokens,
            }
        )
        if len(collected[request.chunk]) == len(chunks.ranges[request.chunk]) * chunks.n:
            _commit(context, chunks, request.chunk, collected.pop(request.chunk))
        context.progress(samples // chunks.n, total, "rows")
    seconds = time.monotonic() - ready
    timings = {
        "engineStartSeconds": round(ready - started, 3),
        "sampleSeconds": round(seconds, 3),
        "tokensPerSecond": round(tokens / seconds, 1) if seconds > 0 else 0.0,
    }
    return timings, sampler.versions()


def _requests(params: SampleParams, chunks: _Chunks, pending: list[int], encode: Any) -> Iterator[Any]:
    from w2s_jobs.engines.sampler import Request

    for chunk in pending:
        for index in chunks.ranges[chunk]:
            row = chunks.rows[index]
            prompt = encode(render(params.template, row["question"]))
            for sample in range(chunks.n):
                seed = derive_seed(params.seed, row["row_id"], sample)
                yield Request(chunk, row["row_id"], sample, prompt, seed)


def _commit(context: StepContext, chunks: _Chunks, chunk: int, rows: list[dict[str, Any]]) -> None:
    """Store a chunk; its rows are in a fixed order, whatever order the engine finished them in."""
    name = chunks.name(chunk)
    local: Path = context.work_dir / name
    write_rows(local, "samples", sorted(rows, key=lambda row: (row["row_id"], row["sample"])))
    chunks.committed[chunk] = context.store.put_part(context.ref, name, local)


def _metrics(context: StepContext, chunks: _Chunks) -> dict[str, Any]:
    reasons: Counter[str] = Counter()
    tokens = samples = 0
    for chunk in range(len(chunks.ranges)):
        for row in read_rows(context.work_dir / chunks.name(chunk), "samples"):
            reasons[row["finish_reason"]] += 1
            tokens += row["tokens"]
            samples += 1
    return {
        "rows": len(chunks.rows),
        "samples": samples,
        "generatedTokens": tokens,
        "finishReasons": dict(sorted(reasons.items())),
    }
