"""Parameters of `report`: what the report of a sweep over thresholds is read off."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from w2s_jobs.contracts.kinds import StepKind
from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.settings import PublishedSetting, Seed, Sha256, TaskSettings, Threshold, ThresholdRule

__all__ = ["ReportChoice", "ReportParams", "ReportPoint", "StepUse"]


class ReportPoint(Contract):
    """One trained (or given) model of the experiment, and where its evidence lies. Keys are `kind/key` inputs."""

    id: str
    """id, unique in the report, such as `stage2/t30-50/seed0`"""
    role: Literal["weak", "ceiling", "conventional", "unfiltered", "direct", "direct-ceiling", "direct-weak", "round"]
    """role: a baseline, an ablation, or a round of the method"""
    thresholds: tuple[Threshold, ...] = ()
    """thresholds of each round so far, or the rules that chose them; empty for a baseline"""
    seed: int
    evaluate: Sha256
    """evaluate step of this point"""
    evaluate_extra: Sha256 | None = None
    """evaluateExtra: the same model on the extra test questions"""
    selects: tuple[Sha256, ...] = ()
    """selects whose kept rows were learnt from, in order of the rounds"""
    grades: tuple[Sha256, ...] = ()
    """grades from which those selects chose, in the same order"""
    train: Sha256 | None = None
    """train step; null for the weak baseline"""

    @property
    def evaluated(self) -> tuple[str, ...]:
        """Keys of the evaluate steps."""
        return tuple(key for key in (self.evaluate, self.evaluate_extra) if key is not None)


class ReportChoice(Contract):
    """A threshold that a rule chose for one round of one branch."""

    choose: Sha256
    """choose step whose threshold.json says which"""
    rule: ThresholdRule
    seed: int
    after: tuple[Threshold, ...] = ()
    """after these thresholds of the rounds before; the choice is about the round that follows"""
    swept: bool
    """swept: the choice is among thresholds that were all trained; else only the chosen one was"""
    require_chain_of_thought: bool = False
    """requireChainOfThought of the round's selections: labels without reasoning are not kept"""


class StepUse(Contract):
    """How often a step would run if nothing were shared."""

    kind: StepKind
    key: Sha256
    uses: int = Field(ge=1)


class ReportParams(Contract):
    """Everything that the report is read off. Names and titles are here, so they are in its key."""

    title: str
    description: str = ""
    task: TaskSettings
    points: tuple[ReportPoint, ...]
    choices: tuple[ReportChoice, ...] = ()
    uses: tuple[StepUse, ...] = ()
    manifest: dict[str, Any] = Field(default_factory=dict)
    """manifest as compiled, shown in the report"""
    resamples: int = Field(default=2000, ge=100, le=100000)
    confidence_level: float = Field(default=0.95, gt=0.5, lt=1)
    seed: Seed = 0
    published: PublishedSetting | None = None
    """published: the setting of the paper whose numbers stand beside the own ones"""
