"""Levels and topics of what was kept, and accuracy within them (paper `confidence`, fig. 5 to 8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from w2s_jobs.contracts.analyses import Composition, GroupAccuracy, Mix
from w2s_jobs.contracts.settings import Threshold

__all__ = ["By", "Group", "compose", "group_accuracy"]

By = Literal["level", "topic"]
Group = int | str


def compose(
    by: By, groups: Mapping[str, Group | None], kept: Sequence[tuple[str, tuple[Threshold, ...], Iterable[str]]]
) -> Composition | None:
    """Count the levels (or topics) of each set of kept questions, beside those of all questions.

    Parameters
    ----------
    by
        What is counted.
    groups
        Level or topic by row id, for the whole unlabelled split.
    kept
        Name, thresholds and row ids of each set.

    Returns
    -------
    Composition | None
        None when the data has no levels (or topics).
    """
    names = _ordered(groups.values())
    if not names:
        return None
    sets = [("all", (), groups.keys()), *kept]
    mixes = tuple(_mix(name, thresholds, [groups.get(r) for r in row_ids], names) for name, thresholds, row_ids in sets)
    return Composition(by=by, groups=tuple(map(str, names)), mixes=mixes)


def group_accuracy(
    by: By, groups: Sequence[Group | None], correct: Mapping[str, Sequence[npt.NDArray[np.bool_]]]
) -> GroupAccuracy | None:
    """Compute accuracy within each level (or topic) of the test questions.

    Parameters
    ----------
    by
        What is grouped by.
    groups
        Level or topic of each test question.
    correct
        By setting: one array of shape (questions,) for each seed.
    """
    names = _ordered(groups)
    if not names:
        return None
    members = [np.array([group == name for group in groups]) for name in names]
    return GroupAccuracy(
        by=by,
        groups=tuple(map(str, names)),
        questions=tuple(int(m.sum()) for m in members),
        accuracy={
            setting: tuple(round(float(np.mean([seed[m].mean() for seed in seeds])), 6) for m in members)
            for setting, seeds in correct.items()
        },
    )


def _ordered(values: Iterable[Group | None]) -> list[Group]:
    """Order levels by number, topics by how many there are (ties by name)."""
    counted = Counter(value for value in values if value is not None)
    return sorted(counted, key=lambda v: (v, "") if isinstance(v, int) else (-counted[v], v))


def _mix(name: str, thresholds: tuple[Threshold, ...], members: Sequence[Group | None], names: Sequence[Group]) -> Mix:
    counted = Counter(members)
    levels = [member for member in members if isinstance(member, int)]
    return Mix(
        name=name,
        thresholds=thresholds,
        counts=tuple(counted[group] for group in names),
        mean=round(sum(levels) / len(levels), 6) if levels else None,
    )
