"""Method `reward`: labels kept by a reward model, over several capabilities (paper `reward`; methods.md, method A)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.settings import Percent, SelectionRule, TrainingSettings
from w2s_jobs.contracts.step_params import RewardObjective

__all__ = [
    "CapabilityName",
    "CapabilityNames",
    "ModelName",
    "ModelPair",
    "RewardAblation",
    "RewardBaseline",
    "RewardMethod",
    "RewardModel",
]

CapabilityName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", max_length=63)]
ModelName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$", max_length=63)]

RewardBaseline = Literal["weak", "ceiling", "wts"]
RewardAblation = Literal["wts-single", "wts-2", "mixed", "clean", "no-warm-up", "in-context"]
CapabilityNames = Annotated[tuple[CapabilityName, ...], Field(min_length=1, max_length=64)]


class ModelPair(Contract):
    """Who teaches whom."""

    weak: ModelName
    """weak model's name in the chain"""
    strong: ModelName
    """strong model's name in the chain"""


class RewardModel(RewardObjective):
    """The classifier that judges weak labels; it starts from the strong model (section 4.2)."""

    per_capability: bool = False
    """perCapability trains one for each capability; else one judges all"""
    cutoff: float = Field(default=0.5, ge=0, lt=1)
    """cutoff that the reward (0..1) of a label must exceed to be kept"""
    training: TrainingSettings | None = None
    """training of it; `spec.training` by default"""


class RewardMethod(Contract):
    """Labels kept by a reward model, over several capabilities.

    Weak models label each capability. S learns from all of it and relabels it; a reward model, trained on where the two
    agree, selects the weak labels that S, warmed up on all of them, learns from at last (paper `reward`, section 4).
    """

    pairs: tuple[ModelPair, ...] = Field(default=(), max_length=190)
    """pairs of teacher and learner; each model of the chain teaches the next by default"""
    weak_training: TrainingSettings | None = None
    """weakTraining of the teachers on labelled data, one a capability; `spec.training` by default"""
    reward_model: RewardModel = RewardModel()
    """rewardModel: how it is trained, and what it must say of a label to be kept"""
    selections: tuple[SelectionRule, ...] = Field(default=("reward",), min_length=1, max_length=4)
    """selections that S learns from, each a model of its own: reward (the method), random (as many, table 2),
    confidence (of method `confidence`), both"""
    confidence_threshold: Percent | None = None
    """confidenceThreshold in percent of the selections confidence and both: of the votes of `spec.sampling`"""
    baselines: tuple[RewardBaseline, ...] = Field(default=("weak", "ceiling", "wts"), max_length=3)
    """baselines: weak, ceiling (S on the gold of the unlabelled split), wts (S on all weak labels)"""
    ablations: tuple[RewardAblation, ...] = Field(default=(), max_length=6)
    """ablations: wts-single (one S a capability, fig. 1), wts-2 (S on its own labels, fig. 6), mixed (both labels,
    fig. 7), clean (right weak labels only, fig. 7), no-warm-up (fig. 10), in-context (untrained S, table 3)"""
    noise: tuple[Percent, ...] = Field(default=(), max_length=20)
    """noise levels in percent of the wrong weak labels put back among the right ones, ascending (fig. 7)"""
    weakened: tuple[CapabilityNames, ...] = Field(default=(), max_length=20)
    """weakened sets of capabilities: their labels come from the model below the teacher in the chain (fig. 3)"""
    removed: tuple[CapabilityNames, ...] = Field(default=(), max_length=20)
    """removed sets of capabilities: S learns nothing of them (fig. 4)"""
    shots: int = Field(default=3, ge=1, le=100)
    """shots of labelled examples before a question, for the ablation in-context (table 3)"""
