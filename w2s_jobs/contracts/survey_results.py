"""`results.json` of a survey: accuracies, PGR and labels by capability and averaged over capabilities.

Accuracies, shares and PGR are fractions. An average weighs every capability alike. Every interval is two-sided, over
the test questions of each capability (resampled apart) and over seeds where there are several.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from w2s_jobs.contracts.analyses import LossEnds
from w2s_jobs.contracts.estimates import Accuracy, Difference, PgrResult, Spread
from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.results import Verdict
from w2s_jobs.contracts.settings import SelectionRule
from w2s_jobs.contracts.survey import SurveyRole

__all__ = [
    "AGREEMENT_CLASSES",
    "Agreement",
    "AgreementCounts",
    "CalibrationBin",
    "CapabilityFigures",
    "KeptLabels",
    "LabelQuality",
    "RewardQuality",
    "RocPoint",
    "SurveyResults",
    "SurveyScore",
    "SurveySetting",
]


class SurveyScore(Contract):
    """How a setting did on one capability, or averaged over those that it was evaluated on."""

    accuracy: Accuracy
    spread: Spread | None = None
    """spread over seeds; null for a single one"""
    pgr: PgrResult
    """pgr between the weak model that taught it (of a ceiling or in-context: the one before it in the chain) and the
    ceiling of the same model"""
    difference: Difference | None = None
    """difference to WTS of the same weak and strong model"""
    partial_credit: float | None = None
    """partialCredit in 0..1 where the task gives any (MC-TACO: F1 over the candidates)"""


class SurveySetting(Contract):
    """The points that differ by their seed only, taken together."""

    name: str
    """name such as `selected-reward/0.5b-1.8b`, `ceiling/1.8b`, `noise-40/0.5b-1.8b`"""
    role: SurveyRole
    variant: str = ""
    model: str
    weak: str | None = None
    seeds: tuple[int, ...]
    average: SurveyScore
    capabilities: dict[str, SurveyScore]
    examples: float | None = None
    """examples that it learnt from (mean over seeds), all capabilities together; null where that is not known"""
    label_correctness: float | None = None
    """labelCorrectness of them, by gold"""


class AgreementCounts(Contract):
    """The five classes that two sets of answers fall into; they partition the questions (paper `reward`, fig. 5)."""

    both_right: int = Field(ge=0)
    """bothRight: True Con."""
    both_wrong_same: int = Field(ge=0)
    """bothWrongSame: False Con., wrong and equal"""
    second_right: int = Field(ge=0)
    """secondRight: only the second is right (WTS True)"""
    first_right: int = Field(ge=0)
    """firstRight: only the first is right (Weak True)"""
    both_wrong_different: int = Field(ge=0)
    """bothWrongDifferent: False Incon., wrong and not equal; an answer that is missing equals nothing"""


AGREEMENT_CLASSES = ("both_right", "both_wrong_same", "second_right", "first_right", "both_wrong_different")
"""Fields of AgreementCounts in the paper's order."""


class Agreement(Contract):
    """Two sets of answers to the same questions, one seed after the other added up."""

    first: Literal["weak", "wts"]
    second: Literal["wts", "wts-2"]
    on: Literal["unlabelled", "test"]
    weak: str
    model: str
    seeds: tuple[int, ...]
    together: AgreementCounts
    """together: all capabilities added up"""
    capabilities: dict[str, AgreementCounts]


class KeptLabels(Contract):
    """What a selection kept of the weak labels."""

    kept: float
    """kept labels, a mean over seeds"""
    retention: float
    """retention: share of the weak labels that was kept"""
    correctness: float | None
    """correctness of them by gold; null where nothing was kept"""
    by_class: AgreementCounts
    """byClass: kept labels in each class of agreement between weak and WTS labels, seeds added up (fig. 12)"""


class CapabilityFigures(Contract):
    """Labels of one capability, or of all: their accuracy before and after selection (fig. 11, 34)."""

    offered: float
    """offered weak labels, a mean over seeds"""
    weak: float
    """weak labels that are right, as a share"""
    strong: float
    """strong labels (of the WTS model) that are right, as a share"""
    agreement: AgreementCounts
    """agreement between them, seeds added up"""
    selected: dict[SelectionRule, KeptLabels] = Field(default_factory=dict)


class LabelQuality(Contract):
    """Labels of the unlabelled splits for one pair of models."""

    weak: str
    model: str
    seeds: tuple[int, ...]
    average: CapabilityFigures
    """average: shares averaged over capabilities; counts added up"""
    capabilities: dict[str, CapabilityFigures]


class CalibrationBin(Contract):
    """Weak labels whose reward lies in one tenth of 0..1."""

    low: float
    high: float
    labels: int
    mean_reward: float
    right: float
    """right labels among them, as a share"""


class RocPoint(Contract):
    """One cutoff: how many right labels it keeps, and how many wrong ones."""

    cutoff: float
    true_positive_rate: float
    false_positive_rate: float


class RewardQuality(Contract):
    """The reward model judged by gold, over the weak labels of all seeds. It never saw that gold."""

    weak: str
    model: str
    capability: str | None
    """capability, or null for all together"""
    labels: int
    accuracy: float
    """accuracy of `reward > cutoff` as a guess of `the label is right`"""
    auc: float | None
    """auc under the ROC curve (0.5 is chance); null where all labels are right, or none"""
    calibration: tuple[CalibrationBin, ...]
    roc: tuple[RocPoint, ...]


class SurveyResults(Contract):
    """`results.json` of a survey."""

    schema_version: Literal[1] = 1
    form: Literal["survey"] = "survey"
    title: str
    description: str
    models: tuple[str, ...]
    capabilities: tuple[str, ...]
    families: dict[str, str]
    """families: task family by capability"""
    test_questions: dict[str, int]
    unlabelled_questions: dict[str, int]
    confidence_level: float = Field(gt=0.5, lt=1)
    resamples: int
    seed: int
    """seed of the bootstrap"""
    verdict: Verdict
    settings: tuple[SurveySetting, ...]
    labels: tuple[LabelQuality, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    rewards: tuple[RewardQuality, ...] = ()
    losses: tuple[LossEnds, ...] = ()
    notes: tuple[str, ...] = ()
    """notes: what a reader must know before believing a number"""
