"""Disjoint splits of a dataset, drawn with one seed, and row ids that never change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from w2s_jobs.contracts.settings import SplitName
from w2s_jobs.contracts.step_params import Splits
from w2s_jobs.tasks.family import Row

__all__ = ["SplitError", "draw_split", "row_ids"]

_TRAIN_SPLITS = ("pretrain", "labelled", "unlabelled", "calibration")
_TEST_SPLITS = ("test", "extra_test")


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


def draw_split(splits: Splits, split: SplitName, *, train: int, test: int | None) -> list[int]:
    """Return the indices of a split among `train` records, or among `test` records where those are apart (not None).

    The splits of a pool are cut one after the other from one seeded order of its records; where there is one pool only,
    test stands at its front and extraTest at its end.
    """
    wanted = "extra_test" if split == "extraTest" else split
    if test is None:
        return _draw(splits, wanted, ("test", *_TRAIN_SPLITS, "extra_test"), _order(train, splits.seed, "train"))
    if wanted in _TEST_SPLITS:
        return _draw(splits, wanted, _TEST_SPLITS, _order(test, splits.seed, "test"))
    return _draw(splits, wanted, _TRAIN_SPLITS, _order(train, splits.seed, "train"))


def _draw(splits: Splits, split: str, names: Sequence[str], order: Sequence[int]) -> list[int]:
    sizes = {name: getattr(splits, name) for name in names}
    open_ended = [_field(name) for name in names if sizes[name] is None]
    if len(open_ended) > 1:
        raise SplitError(
            f"splits {' and '.join(open_ended)} come from one pool and have no size; "
            "give a size to all but one, which takes what is left"
        )
    position = 0
    for name in sorted(names, key=lambda name: sizes[name] is None):  # what takes all that is left is cut last
        taken, position = _cut(_field(name), sizes[name], order, position)
        if name == split:
            return taken
    raise SplitError(f"unknown split {split}")


def _field(name: str) -> str:
    """Name a split as the manifest does."""
    return "extraTest" if name == "extra_test" else name


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
