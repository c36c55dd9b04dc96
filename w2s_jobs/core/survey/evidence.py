"""Everything that a survey is computed from, as columns of the artifacts' rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["Answers", "ScoredAnswers", "SurveyEvidence"]

Answers = Mapping[str, str | None]
"""Answers by row id; None where a text states none."""


@dataclass(frozen=True, eq=False)
class ScoredAnswers:
    """A model's answers to the test questions of one capability: parallel columns in order of row ids."""

    row_ids: Sequence[str]
    answers: Sequence[str | None]
    correct: npt.NDArray[np.bool_]
    """shape (questions,)"""


@dataclass(frozen=True, eq=False)
class SurveyEvidence:
    """Columns by the key of the step that wrote them."""

    scored: Mapping[str, ScoredAnswers]
    """by evaluate key; the questions of a capability are the same, in one order, for all of its evaluations"""
    gold: Mapping[str, Answers] = field(default_factory=dict)
    """by prepare key: gold of the unlabelled questions"""
    votes: Mapping[str, Answers] = field(default_factory=dict)
    """by grade key: labels of the unlabelled questions"""
    kept: Mapping[str, Answers] = field(default_factory=dict)
    """by select or clean key: labels that were kept"""
    rewards: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """by score key: rewards of labels by row id, of one or several capabilities"""
    partial_credit: Mapping[str, float] = field(default_factory=dict)
    """by evaluate key, where the task gives any"""
    losses: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """by train key: loss of each optimizer step"""
