"""Parameters of `survey`: the report that compares models over several capabilities (paper `reward`).

A *model* is named as in the manifest's chain. A point is one way of making a model under one seed; it is evaluated on
every capability. Keys are those of the steps whose rows the report reads.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.report import StepUse
from w2s_jobs.contracts.settings import Seed, SelectionRule, Sha256, TaskSettings

__all__ = ["Relabelled", "SurveyCapability", "SurveyParams", "SurveyPoint", "SurveyRole"]

SurveyRole = Literal[
    "weak",
    "ceiling",
    "in-context",
    "wts",
    "wts-single",
    "wts-2",
    "mixed",
    "clean",
    "noise",
    "weakened",
    "removed",
    "no-warm-up",
    "selected",
]
"""weak: W fine-tuned on labelled data, one model a capability; wts: S on all weak labels; wts-single: one S a
capability; wts-2: S on its own labels; mixed: on both; selected: warm-up on all weak labels, then those selected."""


class SurveyCapability(Contract):
    """One capability, and where the gold of its unlabelled split lies."""

    name: str
    task: TaskSettings
    gold: Sha256
    """gold: the prepare step of the unlabelled split's gold"""


class SurveyPoint(Contract):
    """One way of making a model, under one seed."""

    id: str
    """id, unique in the report, such as `selected-reward/0.5b-1.8b/seed0`"""
    role: SurveyRole
    variant: str = ""
    """variant of the role: percent of noise, names of the weakened or removed capabilities, selection rule"""
    model: str
    """model that was made and evaluated"""
    weak: str | None = None
    """weak model whose labels it learnt from; null where it learnt from gold or from nothing"""
    seed: int
    evaluations: dict[str, Sha256]
    """evaluations: evaluate step by capability"""
    learnt: dict[str, Sha256] = Field(default_factory=dict)
    """learnt: select or clean step by capability whose kept rows it learnt from (the last stage's, of two)"""
    trains: tuple[Sha256, ...] = ()
    """trains: train steps of the model, or of the models, one a capability"""

    @property
    def evaluated(self) -> tuple[str, ...]:
        """Keys of the evaluate steps."""
        return tuple(self.evaluations.values())


class Relabelled(Contract):
    """Labels of one capability's unlabelled split by several models, and what selections kept of the weak ones."""

    capability: str
    weak: str
    model: str
    """model: the strong one"""
    seed: int
    weak_votes: Sha256
    """weakVotes: grade step of the weak labels"""
    strong_votes: Sha256
    """strongVotes: grade step of the labels of the WTS model"""
    second_votes: Sha256 | None = None
    """secondVotes: grade step of the labels of the WTS-2 model"""
    scores: Sha256 | None = None
    """scores: score step that judged the weak labels (of this and other capabilities)"""
    kept: dict[SelectionRule, Sha256] = Field(default_factory=dict)
    """kept: select step by rule"""


class SurveyParams(Contract):
    """Everything that the report is read off. Names and titles are here, so they are in its key."""

    title: str
    description: str = ""
    models: tuple[str, ...]
    """models in the order of the chain, smallest first"""
    capabilities: tuple[SurveyCapability, ...]
    points: tuple[SurveyPoint, ...]
    relabelled: tuple[Relabelled, ...] = ()
    cutoff: float = Field(default=0.5, ge=0, le=1)
    """cutoff: reward above which the reward model calls a label right"""
    uses: tuple[StepUse, ...] = ()
    manifest: dict[str, Any] = Field(default_factory=dict)
    """manifest as compiled, shown in the report"""
    resamples: int = Field(default=2000, ge=100, le=100000)
    confidence_level: float = Field(default=0.95, gt=0.5, lt=1)
    seed: Seed = 0
