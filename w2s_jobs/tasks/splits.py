"""Disjoint splits of a dataset, drawn with one seed, and row ids that never change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from w2s_jobs.contracts.steps import Splits
from w2s_jobs.tasks.family import Row

__all__ = ["SplitError", "draw_split", "row_ids"]

_TRAIN_SPLITS = ("pretrain", "labelled", "unlabelled")


class SplitError(ValueError):
    """The dataset is too small for the splits."""


def row_ids(family: str, rows: Sequence[Row]) -> list[str]:
    """Name each row by its question, so that the name survives a new order of the file; repeats get a number."""
    seen: dict[str, int] = {}
    ids = []
    for row in rows:
        digest = hashlib.sha256(row.question.encode()).hexdigest()[:16]
        seen[digest] = seen.get(digest, 0) + 1
        ids.append(f"{family}-{digest}" + (f"-{seen[digest]}" if seen[digest] > 1 else ""))
    return ids


def draw_split(splits: Splits, split: str, *, train: int, test: int | None) -> list[int]:
    """Return the indices of a split among `train` records, or among `test` records where those are apart (not None).

    pretrain, labelled and unlabelled are cut from one seeded order of the train records, in this order; test from a
    seeded order of the test records, or from the front of the same order where there is one pool only.
    """
    sizes = {name: getattr(splits, name) for name in ("test", *_TRAIN_SPLITS)}
    pooled = test is None
    names = ("test", *_TRAIN_SPLITS) if pooled else _TRAIN_SPLITS
    open_ended = [name for name in names if sizes[name] is None]
    if len(open_ended) > 1:
        raise SplitError(
            f"splits {' and '.join(open_ended)} come from one pool and have no size; "
            "give a size to all but one, which takes what is left"
        )
    if split == "test" and not pooled:
        return _cut("test", sizes["test"], _order(test or 0, splits.seed, "test"), 0)[0]
    order = _order(train, splits.seed, "train")
    position = 0
    for name in sorted(names, key=lambda name: sizes[name] is None):  # what takes all that is left is cut last
        taken, position = _cut(name, sizes[name], order, position)
        if name == split:
            return taken
    raise SplitError(f"unknown split {split}")


def _order(count: int, seed: int, pool: str) -> list[int]:
    generator = np.random.default_rng([seed, int.from_bytes(pool.encode(), "big")])
    return [int(index) for index in generator.permutation(count)]


def _cut(name: str, size: int | None, order: Sequence[int], position: int) -> tuple[list[int], int]:
    left = len(order) - position
    wanted = left if size is None else size
    if wanted > left:
        raise SplitError(
            f"split {name} wants {wanted} rows, but {left} of {len(order)} are left; make splits.{name} smaller"
        )
    return list(order[position : position + wanted]), position + wanted
