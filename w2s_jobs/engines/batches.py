"""Which examples each optimizer step learns from, and how they are spread over micro-batches and ranks.

A batch is formed first: `globalBatchSize` examples of the epoch's seeded order. Only then is it cut into
micro-batches: packed rows, or padded groups of similar length. Its loss is the mean over its trained tokens however
it was cut, so packing, micro-batches and ranks change rounding and speed, and nothing else.

Everything follows from the arguments: a resumed training goes on at step k of the same plan.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from w2s_jobs.core.seeds import derive_seed

__all__ = ["BatchPlan", "Cut", "MicroBatch", "group_by_length", "pack"]

MicroBatch = tuple[int, ...]
"""indices of examples; empty where a rank has nothing to add but must take part"""


@dataclass(frozen=True)
class Cut:
    """How a batch is cut into micro-batches."""

    packing: bool
    tokens: int
    """tokens a micro-batch may hold: the row's length when packed, examples times the longest when padded"""
    examples: int | None = None
    """examples a padded micro-batch may hold; None sets no limit"""
    ranks: int = 1


@dataclass(frozen=True)
class BatchPlan:
    """All optimizer steps of a training."""

    lengths: Sequence[int]
    """lengths of the examples in tokens"""
    batch_size: int
    epochs: float
    seed: int
    cut: Cut

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps in a whole epoch; its last batch may be smaller."""
        return math.ceil(len(self.lengths) / self.batch_size)

    def __len__(self) -> int:
        # Rounded first: 0.1 + 0.2 epochs of 10 steps are 3 steps, not 4.
        return max(1, math.ceil(round(self.epochs * self.steps_per_epoch, 6)))

    def batch(self, step: int) -> list[int]:
        """Return the examples of a step (0-based)."""
        epoch, position = divmod(step, self.steps_per_epoch)
        order = _epoch_order(len(self.lengths), self.seed, epoch)
        return order[position * self.batch_size : (position + 1) * self.batch_size]

    def micro_batches(self, step: int) -> list[MicroBatch]:
        """Return the micro-batches of a step; rank r takes every `ranks`-th from r, so each has equally many."""
        batch = self.batch(step)
        lengths = [int(self.lengths[index]) for index in batch]
        cuts = pack(lengths, self.cut) if self.cut.packing else group_by_length(lengths, self.cut)
        cuts += [()] * (-len(cuts) % self.cut.ranks)
        return [tuple(batch[position] for position in cut) for cut in cuts]


@lru_cache(maxsize=1)
def _epoch_order(count: int, seed: int, epoch: int) -> list[int]:
    order = list(range(count))
    random.Random(derive_seed(seed, "order", epoch)).shuffle(order)  # noqa: S311  an order, not a secret
    return order


def pack(lengths: Sequence[int], cut: Cut) -> list[MicroBatch]:
    """Spread examples over as few rows of `cut.tokens` tokens as possible, rows of about equal length.

    Longest first into the emptiest row (Graham's LPT rule), with one more row per rank until all fit.
    """
    longest_first = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    rows = max(1, math.ceil(sum(lengths) / cut.tokens))
    rows = min(len(lengths), math.ceil(rows / cut.ranks) * cut.ranks)
    while True:
        filled: list[tuple[int, int, list[int]]] = [(0, row, []) for row in range(rows)]
        for index in longest_first:
            used, row, members = filled[0]
            heapq.heapreplace(filled, (used + lengths[index], row, [*members, index]))
        if rows == len(lengths) or max(used for used, _, _ in filled) <= cut.tokens:
            return [tuple(members) for _, _, members in sorted(filled, key=lambda item: item[1])]
        rows = min(len(lengths), rows + cut.ranks)


def group_by_length(lengths: Sequence[int], cut: Cut) -> list[MicroBatch]:
    """Group examples of similar length, so that little of a padded micro-batch is padding."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: (-lengths[index], index)):
        # Sorted: the group's first example is its longest, and decides the width.
        full = not groups or (len(groups[-1]) + 1) * lengths[groups[-1][0]] > cut.tokens
        if full or len(groups[-1]) == cut.examples:
            groups.append([])
        groups[-1].append(index)
    while len(groups) % cut.ranks and len(groups) < len(lengths):
        largest = max(range(len(groups)), key=lambda number: len(groups[number]))
        half = len(groups[largest]) // 2
        groups[largest : largest + 1] = [groups[largest][:half], groups[largest][half:]]
    return [tuple(group) for group in groups]
