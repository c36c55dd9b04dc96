"""`results.json` of a report: what came out, as numbers. It depends on the artifacts' rows and on nothing else.

Accuracies, shares and PGR are fractions (0.61, not 61). Every interval is two-sided, over test questions.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from w2s_jobs.contracts.model import Contract

__all__ = [
    "Accuracy",
    "Bounds",
    "Choice",
    "Composition",
    "Difference",
    "Gap",
    "GroupAccuracy",
    "LossEnds",
    "Mix",
    "PgrResult",
    "PointResult",
    "Results",
    "RoundLabels",
    "SettingResult",
    "Spread",
    "ThresholdLabels",
    "TrainingSet",
    "Verdict",
]


class Bounds(Contract):
    """A two-sided interval."""

    low: float
    high: float


class Accuracy(Contract):
    """Share of test questions that were answered correctly."""

    value: float
    interval: Bounds | None
    n: int
    """n test questions"""
    correct: float
    """correct answers; a mean where several seeds are taken together"""


class PgrResult(Contract):
    """Performance gap recovered: (accuracy - weak) / (ceiling - weak)."""

    value: float | None
    reason: str | None = None
    """reason why there is no value"""
    interval: Bounds | None = None
    undefined_resamples: int = 0
    """undefinedResamples had ceiling equal to weak and are left out of the interval"""


class Difference(Contract):
    """Accuracy minus that of another setting on the same test questions (paired)."""

    to: str
    """to: name of the other one"""
    value: float
    interval: Bounds | None
    better: bool
    """better: the interval lies above zero"""
    worse: bool
    """worse: the interval lies below zero"""


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
    thresholds: tuple[int, ...]
    seed: int
    accuracy: Accuracy
    pgr: PgrResult
    difference: Difference | None
    """difference to the conventional baseline of the same seed"""
    training: TrainingSet | None


class Spread(Contract):
    """How far seeds lie apart."""

    sd: float
    """sd with n-1 in the denominator"""
    min: float
    max: float


class SettingResult(Contract):
    """The points that differ by their seed only, taken together: the mean over seeds."""

    name: str
    """name, such as `round2/t60-70`"""
    role: str
    thresholds: tuple[int, ...]
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


class ThresholdLabels(Contract):
    """What a threshold keeps of the first round's votes, whether or not it was trained on."""

    seed: int
    threshold: int
    kept: int
    coverage: float
    label_correctness: float | None


class Mix(Contract):
    """How a set of questions divides over levels or topics."""

    name: str
    """name of the setting whose training set it is; `all` is the whole unlabelled split"""
    thresholds: tuple[int, ...]
    counts: tuple[int, ...]
    mean: float | None
    """mean level; null for topics"""


class Composition(Contract):
    """Levels or topics of what was kept."""

    by: Literal["level", "topic"]
    groups: tuple[str, ...]
    mixes: tuple[Mix, ...]


class GroupAccuracy(Contract):
    """Accuracy within each level or topic of the test split."""

    by: Literal["level", "topic"]
    groups: tuple[str, ...]
    questions: tuple[int, ...]
    accuracy: dict[str, tuple[float, ...]]
    """accuracy by setting's name, one number a group"""


class LossEnds(Contract):
    """How a training's loss went."""

    name: str
    train: str
    """train step's key"""
    steps: int
    first: float
    last: float
    """last: mean over the last tenth of the logged steps"""


class Verdict(Contract):
    """What the numbers say, in words."""

    headline: str
    sentences: tuple[str, ...]


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
    threshold_labels: tuple[ThresholdLabels, ...] = ()
    compositions: tuple[Composition, ...] = ()
    group_accuracies: tuple[GroupAccuracy, ...] = ()
    losses: tuple[LossEnds, ...] = ()
    notes: tuple[str, ...] = ()
    """notes: what a reader must know before believing a number"""
