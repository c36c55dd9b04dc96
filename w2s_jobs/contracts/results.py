"""`results.json` of a report: what came out, as numbers. It depends on the artifacts' rows and on nothing else.

Accuracies, shares and PGR are fractions (0.61, not 61). Every interval is two-sided, over test questions
(and over seeds, where several are taken together).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from w2s_jobs.contracts.analyses import (
    ChosenResult,
    Composition,
    FilterEffect,
    FormComparison,
    GroupAccuracy,
    LossEnds,
    Omitted,
    Published,
    ThresholdLabels,
)
from w2s_jobs.contracts.estimates import Accuracy, Bounds, Difference, PgrResult, Spread
from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.settings import Threshold

__all__ = [
    "Choice",
    "ExtraTestResult",
    "Gap",
    "PointResult",
    "Results",
    "RoundLabels",
    "SettingResult",
    "TrainingSet",
    "Verdict",
]


class RoundLabels(Contract):
    """Labels kept by one round's selection."""

    offered: int | None
    """offered questions"""
    kept: int
    correct: int | None
    """correct labels among the kept ones, by gold; null where there is no gold to compare with"""


class TrainingSet(Contract):
    """What a point learnt from."""

    size: float
    """size in examples; a mean where several seeds are taken together"""
    coverage: float | None
    """coverage: size as a share of the unlabelled split"""
    label_correctness: float | None
    """labelCorrectness: share of examples whose label agrees with gold"""
    rounds: tuple[RoundLabels, ...] = ()


class PointResult(Contract):
    """One evaluated model."""

    id: str
    role: str
    thresholds: tuple[Threshold, ...]
    seed: int
    accuracy: Accuracy
    pgr: PgrResult
    difference: Difference | None
    """difference to the conventional baseline of the same seed"""
    training: TrainingSet | None


class SettingResult(Contract):
    """The points that differ by their seed only, taken together: the mean over seeds."""

    name: str
    """name, such as `round2/t60-70`"""
    role: str
    thresholds: tuple[Threshold, ...]
    seeds: tuple[int, ...]
    accuracy: Accuracy
    spread: Spread | None
    """spread of accuracy over seeds; null for a single one"""
    pgr: PgrResult
    difference: Difference | None
    """difference to the conventional baseline"""
    gain: Difference | None
    """gain over the setting of the previous round from which this one went on"""
    training: TrainingSet | None


class Gap(Contract):
    """Ceiling minus weak: what there is to recover."""

    weak: float | None
    ceiling: float | None
    value: float | None
    interval: Bounds | None
    certain: bool
    """certain: the interval lies above zero, so PGR has a denominator of known sign"""
    reason: str | None
    """reason why PGR says little or nothing"""


class Choice(Contract):
    """The setting with the highest accuracy among those of one round (or of all rounds)."""

    round: int | None
    """round, or null for all of them"""
    name: str
    among: int
    """among how many settings it was chosen"""
    difference: Difference | None
    """difference to conventional, with an interval that allows for the choice (simultaneous over all settings)"""


class Verdict(Contract):
    """What the numbers say, in words."""

    headline: str
    sentences: tuple[str, ...]


class ExtraTestResult(Contract):
    """The same models on the test questions alone and on test and extraTest together (paper: table 4)."""

    questions: int
    """questions of the test split alone"""
    questions_together: int
    """questionsTogether: of both splits"""
    points: tuple[PointResult, ...]
    """points on both splits together"""
    settings: tuple[SettingResult, ...]
    """settings on both splits together"""
    shifts: tuple[Difference, ...]
    """shifts: for each of the settings, accuracy on both together minus that on test alone"""


class Results(Contract):
    """`results.json`."""

    schema_version: Literal[1] = 1
    title: str
    description: str
    family: str
    test_questions: int
    unlabelled_questions: int | None
    confidence_level: float = Field(gt=0.5, lt=1)
    resamples: int
    seed: int
    """seed of the bootstrap"""
    verdict: Verdict
    gap: Gap
    best: tuple[Choice, ...]
    settings: tuple[SettingResult, ...]
    points: tuple[PointResult, ...]
    extra_test: ExtraTestResult | None = None
    """extraTest: the same points with that split; null where none of them was evaluated on it"""
    choices: tuple[ChosenResult, ...] = ()
    """choices of a threshold without gold, each seed and their mean"""
    filter_effects: tuple[FilterEffect, ...] = ()
    iterations: tuple[str, ...] = ()
    """iterations: names of the settings on the way to the best one of the last round, in order, with its siblings"""
    forms: tuple[FormComparison, ...] = ()
    published: Published | None = None
    omitted: tuple[Omitted, ...] = ()
    """omitted analyses of the paper, with the reason"""
    threshold_labels: tuple[ThresholdLabels, ...] = ()
    compositions: tuple[Composition, ...] = ()
    group_accuracies: tuple[GroupAccuracy, ...] = ()
    losses: tuple[LossEnds, ...] = ()
    notes: tuple[str, ...] = ()
    """notes: what a reader must know before believing a number"""
