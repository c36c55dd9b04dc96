"""Choose the processes of a sampling or scoring: the fewest GPUs that hold the model, and shards that pay."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from controller.api.placement import SamplingPlacement
from controller.plan.placement.choice import Cards, Choice, amounts, gigabytes, number_of, words
from controller.plan.placement.sampling_memory import (
    SamplingMemory,
    SamplingShape,
    sampling_memory,
    scoring_bytes,
    whole_model_bytes,
)
from controller.plan.placement.shapes import ModelShape

__all__ = ["Work", "choose_sampling", "choose_scoring", "choose_shards", "choose_whole"]

WORTH_SECONDS = 600.0
"""Work of one shard that pays for its start, which takes a minute of all its GPUs (`START_SECONDS`)."""
CHUNK_ROWS = 256
"""Rows that are committed together (`Execution.chunk_rows`): a shard has one at least."""


@dataclass(frozen=True)
class Work:
    """How much there is to do."""

    seconds: float
    """seconds of one GPU"""
    rows: float


def choose_sampling(shape: SamplingShape, cards: Cards, wanted: SamplingPlacement) -> Choice:
    """Choose over how many GPUs vLLM divides a model: the fewest with room for `wanted.sequences`."""
    room, refused = wanted.sequences, ""
    closest: tuple[int, SamplingMemory] | None = None
    for parallel in _divisions(shape.model, cards, wanted.gpus):
        memory = sampling_memory(shape, parallel)
        if closest is None or memory.total(room) < closest[1].total(room):
            closest = parallel, memory
        if memory.total(room) <= cards.budget:
            reason = words([_fill(parallel, memory, shape, cards, room), refused])
            return Choice(gpus=parallel, memory=memory.total(room), reason=reason)
        refused = f"{number_of(parallel, 'GPU')} would need {gigabytes(memory.total(room))}"
        refused += "" if parallel == 1 else " each"
    if closest is None:
        return _indivisible(shape.model, wanted.gpus or 1)
    parallel, memory = closest
    least = _fill(parallel, memory, shape, cards, room)
    what = f"sampling {shape.model.parameters / 1e9:.1f}B parameters fits nowhere on {cards.name}: the least is {least}"
    fix = "Try fewer placement sequences, lower maxTokens, GPUs with more memory or more of them in a node"
    return _misfit(Choice(gpus=parallel, memory=memory.total(room), reason=what), fix)


def choose_whole(shape: SamplingShape, cards: Cards, wanted: SamplingPlacement) -> Choice:
    """Place a sampling with transformers, which holds the whole model on the first GPU of its process."""
    needed = whole_model_bytes(shape)
    reason = f"transformers samples on one GPU: {gigabytes(needed)} of {gigabytes(cards.budget)}"
    choice = Choice(gpus=wanted.gpus or 1, memory=needed, reason=reason)
    if needed <= cards.budget:
        return choice
    return _misfit(replace(choice, reason=f"sampling does not fit {cards.name}: {reason}"), "Try spec.engine: vllm")


def choose_scoring(model: ModelShape, cards: Cards, wanted: SamplingPlacement) -> Choice:
    """Choose over how many GPUs the layers of a reward model are spread: the fewest, and not more than `wanted`."""
    most = min(wanted.gpus or cards.per_node, cards.per_node, model.layers)
    for gpus in range(1, most + 1):
        needed = scoring_bytes(model, gpus)
        spread = number_of(gpus, "GPU") + (", some layers each" if gpus > 1 else "")
        fill = f"{spread}: {gigabytes(needed)} of {gigabytes(cards.budget)} a GPU"
        if needed <= cards.budget:
            return Choice(gpus=gpus, memory=needed, reason=fill)
    what = f"scoring with {model.parameters / 1e9:.1f}B parameters fits nowhere on {cards.name}: the least is {fill}"
    fix = "Try GPUs with more memory or more of them in a node, and gpus no lower than that"
    return _misfit(Choice(gpus=most, memory=needed, reason=what), fix)


def choose_shards(choice: Choice, work: Work, cards: Cards, wanted: SamplingPlacement) -> Choice:
    """Add shards: as many as `wanted` says, or as the pool has room for and each has work that pays for its start."""
    if wanted.shards is not None:
        said = f"{number_of(wanted.shards, 'shard')} as the manifest says" if wanted.shards > 1 else ""
        return replace(choice, shards=wanted.shards, reason=words([choice.reason, said]))
    room = max(1, cards.per_node // choice.gpus) * cards.nodes
    chunks = max(1, math.ceil(work.rows / CHUNK_ROWS))
    minutes = work.seconds / choice.gpus / 60
    shards = min(room, chunks, max(1, math.ceil(minutes * 60 / WORTH_SECONDS)))
    said = f"about {minutes:.0f} minutes of work, {number_of(shards, 'shard')}" if shards > 1 else ""
    return replace(choice, shards=shards, reason=words([choice.reason, said]))


def _divisions(model: ModelShape, cards: Cards, asked: int | None) -> Iterator[int]:
    """Yield numbers of GPUs that divide the model's heads and feed-forward block, fewest first."""
    for parallel in (asked,) if asked else range(1, cards.per_node + 1):
        kv_divides = model.kv_heads % parallel == 0 or parallel % model.kv_heads == 0
        if model.heads % parallel == 0 and kv_divides and model.intermediate % parallel == 0:
            yield parallel


def _indivisible(model: ModelShape, asked: int) -> Choice:
    what = f"{asked} GPUs cannot share {model.heads} heads ({model.kv_heads} of keys and values)"
    fits = [n for n in range(1, 65) if model.heads % n == 0 and (model.kv_heads % n == 0 or n % model.kv_heads == 0)]
    near = ", ".join(str(n) for n in fits if n <= 16)
    return _misfit(Choice(gpus=asked, reason=what), f"Set gpus to one of {near}, or remove it")


def _misfit(choice: Choice, fix: str) -> Choice:
    return replace(choice, fits=False, fix=f"{fix}; or set placement.onMisfit: warn")


def _fill(parallel: int, memory: SamplingMemory, shape: SamplingShape, cards: Cards, room: int) -> str:
    cache = (f"cache of {room} x {shape.tokens:,} tokens", room * memory.sequence)
    if memory.longest > cache[1]:
        cache = (f"cache of the longest sequence, {shape.model.positions:,} tokens", memory.longest)
    parts = amounts([("weights", memory.weights), ("working", memory.working), cache])
    spread = number_of(parallel, "GPU") + (" that share each layer" if parallel > 1 else "")
    return f"{spread}: {gigabytes(memory.total(room))} of {gigabytes(cards.budget)} a GPU ({parts})"
