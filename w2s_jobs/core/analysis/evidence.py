"""Everything that a report is computed from, as columns of the artifacts' rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from w2s_jobs.contracts.choices import ChosenThreshold
from w2s_jobs.core.analysis.composition import By, Group
from w2s_jobs.core.analysis.labels import Votes

__all__ = ["Evidence", "Kept"]


@dataclass(frozen=True, eq=False)
class Kept:
    """Rows that a selection kept: parallel columns."""

    row_ids: Sequence[str]
    answers: Sequence[str | None]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Columns by the key of the step that wrote them."""

    correct: Mapping[str, npt.NDArray[np.bool_]]
    """by evaluate key, shape (questions,); test questions in one order for all"""
    correct_extra: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    """the same on the extra test questions, by the key of their evaluate step"""
    test_groups: Mapping[By, Sequence[Group | None]] = field(default_factory=dict)
    """level and topic of each test question"""
    unlabelled_groups: Mapping[By, Mapping[str, Group | None]] = field(default_factory=dict)
    """level and topic of the unlabelled questions by row id"""
    unlabelled: int | None = None
    """number of unlabelled questions"""
    gold: Mapping[str, str | None] = field(default_factory=dict)
    """gold answer of the unlabelled questions by row id"""
    kept: Mapping[str, Kept] = field(default_factory=dict)
    """by select key"""
    votes: Mapping[str, Votes] = field(default_factory=dict)
    """by grade key"""
    chosen: Mapping[str, ChosenThreshold] = field(default_factory=dict)
    """by choose key"""
    losses: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """by train key: loss of each optimizer step"""
