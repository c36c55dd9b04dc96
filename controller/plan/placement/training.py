"""Choose how a training is spread: the fewest GPUs that hold it, and on those what is fastest."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from controller.api.placement import TrainingPlacement
from controller.plan.placement.choice import Cards, Choice, amounts, gigabytes, number_of, words
from controller.plan.placement.disk import training_disk
from controller.plan.placement.training_memory import (
    CONTEXT_BYTES,
    MICRO_BATCH_TOKENS,
    TrainingMemory,
    TrainingShape,
    host_bytes,
    training_memory,
)
from w2s_jobs.contracts.settings import Parallelism

__all__ = ["choose_training", "follow_training"]


@dataclass(frozen=True)
class _Option:
    """One way to run a training, and what it takes."""

    how: Parallelism
    nodes: int
    micro_batch: int
    memory: TrainingMemory
    host: float
    """bytes of one node's own memory"""

    def fits(self, cards: Cards) -> bool:
        return self.memory.total <= cards.budget and (cards.host_memory is None or self.host <= cards.host_memory)


def choose_training(shape: TrainingShape, cards: Cards, wanted: TrainingPlacement) -> Choice:
    """Choose what `wanted` leaves open.

    In this order: no offload before offload, few ranks before many, a low ZeRO stage before a high one (it talks
    less), large micro-batches before small ones. With offload all GPUs of the pool are taken, because the updates are
    made by the processors of their nodes. Ranks that are chosen divide globalBatchSize, so that none waits for work.
    """
    refused: list[_Option] = []
    for option in _options(shape, cards, wanted):
        if option.fits(cards):
            return _chosen(option, shape, cards, refused)
        refused.append(option)
    if not refused:
        raise AssertionError("the rules of the manifest let no placement through that leaves no option")
    return _misfit(min(refused, key=lambda option: option.memory.total), shape, cards)


def follow_training(wanted: TrainingPlacement) -> Parallelism:
    """Do as the manifest says where there is nothing to compute with: on CPUs, or with a model of unknown size."""
    how = wanted.parallelism
    ranks = how.ranks or wanted.gpus or 1
    unset = None if ranks == 1 and not how.offload else 3
    return Parallelism(
        zero_stage=unset if how.zero_stage is None else how.zero_stage,
        offload=bool(how.offload),
        ranks=ranks,
        micro_batch_size=how.micro_batch_size,
    )


def _options(shape: TrainingShape, cards: Cards, wanted: TrainingPlacement) -> Iterator[_Option]:
    """Yield every option that `wanted` allows, best first."""
    how = wanted.parallelism
    layouts = _layouts(shape.training.global_batch_size, cards, wanted)
    if not how.offload:
        for ranks, nodes in layouts:
            for stage in _stages(ranks, how.zero_stage):
                yield from _micro_batches(shape, Parallelism(zero_stage=stage, ranks=ranks), nodes, wanted)
    if how.offload is not False and how.zero_stage in (None, 2, 3):
        ranks, nodes = layouts[-1]
        for stage in (2, 3) if how.zero_stage is None else (how.zero_stage,):
            offloaded = Parallelism(zero_stage=stage, ranks=ranks, offload=True)
            yield from _micro_batches(shape, offloaded, nodes, wanted)


def _layouts(batch: int, cards: Cards, wanted: TrainingPlacement) -> list[tuple[int, int]]:
    """Return ranks and nodes: on part of one node, or on whole ones; as `wanted` says where it says."""
    asked = wanted.parallelism.ranks or wanted.gpus
    numbers = range(1, cards.nodes + 1) if wanted.nodes is None else (wanted.nodes,)
    if asked:
        nodes = next(n for n in numbers if asked % n == 0 and asked // n <= cards.per_node)
        return [(asked, nodes)]
    found = [
        (ranks, nodes)
        for nodes in numbers
        for ranks in range(nodes, nodes * cards.per_node + 1, nodes)
        if nodes == 1 or wanted.nodes is not None or ranks == nodes * cards.per_node
    ]
    return [layout for layout in found if batch % layout[0] == 0] or found[:1]


def _stages(ranks: int, asked: int | None) -> tuple[int | None, ...]:
    if asked is not None:
        return (asked,)
    return (None,) if ranks == 1 else (1, 2, 3)


def _micro_batches(shape: TrainingShape, how: Parallelism, nodes: int, wanted: TrainingPlacement) -> Iterator[_Option]:
    """Yield an option for each size of a micro-batch, the trainer's own first, then what divides a rank's share."""
    longest, asked = shape.training.max_seq_len, wanted.parallelism.micro_batch_size
    host = host_bytes(shape, how, how.ranks // nodes)
    share = max(1, shape.training.global_batch_size // how.ranks)
    if asked is not None:
        memory = training_memory(shape, how, asked * longest)
        yield _Option(how.model_copy(update={"micro_batch_size": asked}), nodes, min(asked, share), memory, host)
        return
    tokens = max(MICRO_BATCH_TOKENS, longest)
    yield _Option(how, nodes, _divisor(share, tokens // longest), training_memory(shape, how, tokens), host)
    for size in range(min(share, tokens // longest - 1), 0, -1):
        if share % size == 0:
            memory = training_memory(shape, how, size * longest)
            yield _Option(how.model_copy(update={"micro_batch_size": size}), nodes, size, memory, host)


def _divisor(number: int, most: int) -> int:
    return next(size for size in range(min(number, most), 0, -1) if number % size == 0)


def _chosen(option: _Option, shape: TrainingShape, cards: Cards, refused: list[_Option]) -> Choice:
    how = option.how
    lesser = [other.memory.total for other in refused if how.offload or other.how.ranks < how.ranks]
    what = "without offload" if how.offload else "fewer GPUs"
    why = f"{what} would need {gigabytes(min(lesser))} or more" if lesser else ""
    host = f"{gigabytes(option.host)} of each node's own memory" if how.offload else ""
    return _as_choice(option, shape, words([_fill(option, cards), why, _batch(option, shape), host]))


def _misfit(option: _Option, shape: TrainingShape, cards: Cards) -> Choice:
    training = shape.training
    what = (
        f"training {shape.model.parameters / 1e9:.1f}B parameters in {'bfloat16' if shape.bf16 else 'float32'} at "
        f"maxSeqLen {training.max_seq_len} fits nowhere on {cards.name}: the least is {_fill(option, cards)}"
    )
    if option.memory.total <= cards.budget and cards.host_memory is not None:
        what += (
            f"; {'its offload' if option.how.offload else 'loading and saving it'} takes {gigabytes(option.host)} of "
            f"each node's own memory, and hostMemory is {gigabytes(cards.host_memory)}"
        )
    fixes = [] if training.gradient_checkpointing else ["training.gradientCheckpointing: true (it changes keys)"]
    if cards.nodes == 1 or option.how.ranks < cards.count:
        fixes.append("more nodes or GPUs in the pool, or higher ranks and zeroStage where placement.training sets them")
    fix = ", ".join([*fixes, "GPUs with more memory, a smaller model"])
    return replace(_as_choice(option, shape, what), fits=False, fix=f"Try {fix}; or set placement.onMisfit: warn")


def _as_choice(option: _Option, shape: TrainingShape, reason: str) -> Choice:
    how = option.how
    return Choice(
        gpus=how.ranks // option.nodes,
        nodes=option.nodes,
        parallelism=how,
        micro_batch=option.micro_batch,
        accumulation=_accumulation(option, shape),
        memory=option.memory.total,
        host_memory=option.host,
        disk=training_disk(shape, how, option.nodes),
        reason=reason,
    )


def _accumulation(option: _Option, shape: TrainingShape) -> int:
    """Count the micro-batches of a rank in one step; fewer where packing or short examples let more stand in one."""
    return math.ceil(math.ceil(shape.training.global_batch_size / option.how.ranks) / option.micro_batch)


def _spread(option: _Option) -> str:
    how = option.how
    over = f" on {option.nodes} nodes" if option.nodes > 1 else ""
    stage = "plain PyTorch" if how.zero_stage is None else f"ZeRO-{how.zero_stage}"
    return f"{number_of(how.ranks, 'GPU')}{over}, {stage}{' with offload' if how.offload else ''}"


def _fill(option: _Option, cards: Cards) -> str:
    """Say what one GPU holds."""
    memory = option.memory
    moment = [("buffers and copies", memory.working), ("activations", memory.activations)]
    if memory.update > memory.working + memory.activations:
        moment = [("update", memory.update)]
    parts = [
        ("weights", memory.weights),
        ("gradients", memory.gradients),
        ("optimizer", memory.optimizer),
        *moment,
        ("context", CONTEXT_BYTES),
    ]
    return f"{_spread(option)}: {gigabytes(memory.total)} of {gigabytes(cards.budget)} a GPU ({amounts(parts)})"


def _batch(option: _Option, shape: TrainingShape) -> str:
    """Say how the global batch comes about."""
    longest, size = shape.training.max_seq_len, shape.training.global_batch_size
    at_once = f"{option.micro_batch} x {longest:,} tokens at once"
    if option.how.micro_batch_size is None and longest < MICRO_BATCH_TOKENS:
        at_once = f"{MICRO_BATCH_TOKENS:,} tokens at once ({option.micro_batch} x {longest:,})"
    return f"{at_once}, x {_accumulation(option, shape)} x {number_of(option.how.ranks, 'rank')} = batch of {size}"
