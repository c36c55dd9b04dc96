"""What a placement is chosen from, and what is chosen, with the reason in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from controller.api.placement import Pool
from controller.plan.gpus import GPUS
from controller.plan.graph import Resources
from w2s_jobs.contracts.settings import Parallelism

__all__ = ["RESERVE", "Cards", "Choice", "amounts", "cards_of", "gigabytes", "number_of", "words"]

RESERVE = 0.1
"""Share of a GPU's memory that is left free: what PyTorch's allocator cannot use between its blocks, and what this
arithmetic does not know. vLLM leaves as much (`gpu_memory_utilization` 0.9)."""


@dataclass(frozen=True)
class Cards:
    """The GPUs that a placement may choose from."""

    name: str
    """name of pool and type, for messages"""
    memory: float
    """bytes of one GPU"""
    per_node: int
    nodes: int
    host_memory: float | None = None
    """bytes of a node's own memory; None when the pool does not say"""

    @property
    def budget(self) -> float:
        """Bytes of one GPU that may be planned with."""
        return self.memory * (1 - RESERVE)

    @property
    def count(self) -> int:
        """GPUs of the whole pool."""
        return self.per_node * self.nodes


def cards_of(pool: Pool) -> Cards:
    """Return what a pool of the manifest offers."""
    return Cards(
        name=f"pool '{pool.name}' ({number_of(pool.nodes, 'node')} of {pool.gpus_per_node} {pool.gpu})",
        memory=GPUS[pool.gpu].memory,
        per_node=pool.gpus_per_node,
        nodes=pool.nodes,
        host_memory=None if pool.host_memory is None else pool.host_memory * 1e9,
    )


@dataclass(frozen=True)
class Choice:
    """Where and how the steps of one shape run."""

    gpus: int
    """GPUs of one process (of a training: of one node)"""
    reason: str
    """why, for people: the arithmetic, and what fewer GPUs would have meant"""
    fits: bool = True
    """False: the arithmetic says that it does not fit, and this comes closest"""
    memory: float = 0.0
    """bytes planned on one GPU"""
    nodes: int = 1
    shards: int = 1
    parallelism: Parallelism = field(default_factory=Parallelism)
    micro_batch: int = 0
    """sequences of full length that a rank trains at once"""
    accumulation: int = 0
    """micro-batches that a rank goes through in a step: globalBatchSize = micro_batch x accumulation x ranks"""
    host_memory: float = 0.0
    """bytes of the node's own memory, beside what any process needs"""
    disk: float = 0.0
    """bytes of models and checkpoints on a node's disk"""
    fix: str = ""
    """what to change where it does not fit"""

    def resources(self, given: Resources) -> Resources:
        """Return what one process holds; threads and pool stay as they are."""
        return Resources(given.threads, self.gpus, given.pool, self.nodes, round(self.host_memory), round(self.disk))


def gigabytes(size: float) -> str:
    """Write bytes as a person reads them: 3.2 GB, 152 GB."""
    return f"{size / 1e9:.1f} GB" if size < 100e9 else f"{size / 1e9:.0f} GB"


def amounts(parts: Sequence[tuple[str, float]]) -> str:
    """List what fills a GPU, leaving out what is nothing."""
    return ", ".join(f"{name} {size / 1e9:.1f}" for name, size in parts if size >= 0.05e9)


def number_of(count: int, noun: str) -> str:
    """Write `1 GPU`, `8 GPUs`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def words(parts: Sequence[str]) -> str:
    """Join what there is to say."""
    return "; ".join(part for part in parts if part)
