"""Analyses of a report beside its table of settings: labels, composition, chosen thresholds, ablations."""

from __future__ import annotations

from typing import Literal

from w2s_jobs.contracts.estimates import Accuracy, Difference, PgrResult
from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.settings import Threshold, ThresholdRule

__all__ = [
    "CalibrationPoint",
    "ChosenResult",
    "Composition",
    "FilterEffect",
    "FormComparison",
    "GroupAccuracy",
    "LossEnds",
    "Mix",
    "Omitted",
    "Published",
    "PublishedPair",
    "ThresholdLabels",
]


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
    thresholds: tuple[Threshold, ...]
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


class CalibrationPoint(Contract):
    """What the rule expected of one threshold, and what was so."""

    threshold: int
    kept: int
    estimated: float | None
    true: float | None


class ChosenResult(Contract):
    """A threshold that a rule chose without gold, judged with gold afterwards."""

    rule: ThresholdRule
    seed: int | None
    """seed of the choice; null for the mean over seeds"""
    after: tuple[Threshold, ...]
    """after these thresholds of the rounds before"""
    threshold: float
    """threshold in percent; a mean where several seeds are taken together"""
    swept: bool
    """swept: the choice was among thresholds that were all trained"""
    kept: float | None
    """kept labels at that threshold"""
    estimated_correctness: float | None
    """estimatedCorrectness of them, as the rule saw it without gold"""
    correctness: float | None
    """correctness of them by gold; null without gold"""
    accuracy: Accuracy | None
    """accuracy of the model at that threshold; null where none was trained there"""
    best_threshold: int | None
    """bestThreshold of the sweep after the same thresholds, chosen on the test questions"""
    best_accuracy: float | None
    regret: Difference | None
    """regret: accuracy of the best threshold of the sweep minus that of the chosen one; the interval holds for the best
    of all swept thresholds, whichever it is. `better` means: choosing by gold would have been better for certain"""
    reason: str | None = None
    """reason why there is no regret"""
    calibration: tuple[CalibrationPoint, ...] = ()
    """calibration: estimated and true correctness at each threshold that the rule looked at"""
    notes: tuple[str, ...] = ()
    """notes of the rule: what weakens its estimate"""


class FilterEffect(Contract):
    """Round 2 with and without its filter, from one threshold of round 1 (paper: table 1)."""

    threshold: Threshold
    """threshold of round 1"""
    origin: str
    """origin: name of the setting of round 1"""
    filtered: str | None
    """filtered: name of the most accurate setting of round 2 that goes on from it"""
    among: int
    """among how many it was chosen"""
    filtered_gain: Difference | None
    """filteredGain over origin, with an interval that allows for the choice"""
    unfiltered: str
    unfiltered_gain: Difference
    """unfilteredGain over origin"""
    filter_gain: Difference | None
    """filterGain: filtered minus unfiltered, with an interval that allows for the choice"""


class FormComparison(Contract):
    """One model taught and asked with reasoning, and its counterpart with bare answers (paper: table 3)."""

    role: str
    chain_of_thought: str
    """chainOfThought: name of the setting with reasoning"""
    direct: str
    """direct: name of the setting with bare answers"""
    difference: Difference
    """difference: direct minus chain of thought"""


class PublishedPair(Contract):
    """A published number beside the own one of the same setting."""

    name: str
    """name of the own setting, such as `round2/t60-70`"""
    role: str
    thresholds: tuple[Threshold, ...]
    test_set: Literal["test", "together"]
    """testSet: test alone, or test and extraTest together"""
    published_accuracy: float
    published_pgr: float | None
    table: str
    """table of the paper"""
    accuracy: Accuracy | None
    """accuracy of the own setting; null where this run has none"""
    pgr: PgrResult | None


class Published(Contract):
    """The paper's numbers for one of its settings, beside this run's."""

    setting: str
    paper: str
    pairs: tuple[PublishedPair, ...]


class Omitted(Contract):
    """An analysis of the paper that this run has no data for."""

    analysis: str
    reason: str
