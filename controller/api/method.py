"""Methods an experiment can run. Each is one optional member of `Method`; exactly one is set."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from controller.api.reward import RewardMethod, RewardModel
from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.settings import Percent, Threshold, ThresholdRule

__all__ = ["Ablation", "Baseline", "Branch", "ConfidenceMethod", "JudgedSelection", "Method", "Round"]

Baseline = Literal["weak", "ceiling", "conventional"]
Ablation = Literal["unfiltered", "direct"]
JudgedSelection = Literal["reward", "both", "random"]


class Branch(Contract):
    """Thresholds for one way through the rounds before."""

    path: tuple[Percent, ...] = Field(min_length=1, max_length=9)
    """path that this goes on from: one threshold of each round before, in their order"""
    thresholds: tuple[Percent, ...] = Field(min_length=1, max_length=101)
    """thresholds of confidence in percent, ascending and inclusive"""


class Round(Contract):
    """One round: label, keep by confidence, train the initial strong model on all that was kept so far.

    Its thresholds are given, the same for all branches or apart for each, or chosen by rules.
    """

    thresholds: tuple[Percent, ...] = Field(default=(), max_length=101)
    """thresholds of confidence in percent, ascending and inclusive; each is a branch of the sweep"""
    after: tuple[Percent, ...] = Field(default=(), max_length=101)
    """after names the thresholds of the previous round from which this one goes on; all of them by default"""
    branches: tuple[Branch, ...] = Field(default=(), max_length=1000)
    """branches instead of thresholds and after, where the thresholds differ by what was chosen before"""
    rules: tuple[ThresholdRule, ...] = Field(default=(), max_length=2)
    """rules that choose a threshold without gold: of the round's, or where it has none, of all (docs/thresholds.md)"""

    selections: tuple[JudgedSelection, ...] = Field(default=(), max_length=3)
    """selections of method `reward` beside the thresholds, each a branch: reward (of the voted label), both (that and
    confidenceThreshold), random (as many as reward keeps)"""
    confidence_threshold: Percent | None = None
    """confidenceThreshold in percent of the selection both"""

    @model_validator(mode="before")
    @classmethod
    def _bare_list(cls, value: Any) -> Any:
        """Accept only a mapping, and say how to write the list that people try first."""
        if isinstance(value, list):
            raise ValueError(f"a round is a mapping; write {{thresholds: {value}}}")
        return value

    def swept_after(self, path: tuple[Threshold, ...]) -> tuple[Percent, ...]:
        """Return the thresholds that follow on `path`, the thresholds of the rounds before."""
        if self.branches:
            return next((branch.thresholds for branch in self.branches if branch.path == path), ())
        return self.thresholds if self.goes_on_from(path) else ()

    def goes_on_from(self, path: tuple[Threshold, ...]) -> bool:
        """Tell whether this round trains anything on `path`."""
        if self.branches:
            return any(branch.path == path for branch in self.branches)
        return not (self.after and path) or path[-1] in self.after

    @property
    def is_chosen(self) -> bool:
        """Tell whether rules alone give the thresholds of this round."""
        return bool(self.rules) and not self.thresholds and not self.branches


class ConfidenceMethod(Contract):
    """Labels filtered by vote confidence, in any number of rounds (paper `confidence`, section 3)."""

    rounds: tuple[Round, ...] = Field(min_length=1, max_length=10)
    """rounds in order; the sweep is the product of their thresholds along the tree, or what branches leave of it"""
    baselines: tuple[Baseline, ...] = Field(default=("weak", "ceiling", "conventional"), max_length=3)
    """baselines to compare with; PGR needs weak and ceiling"""
    ablations: tuple[Ablation, ...] = Field(default=(), max_length=2)
    """ablations: unfiltered appends all relabelled rows in round 2, after the thresholds from which that goes on
    (table 1); direct does the baselines without chain of thought (table 3, appendix C.1)"""
    reward_model: RewardModel = RewardModel()
    """rewardModel of the selections: trained on where weak labels and the conventional model agree"""
    require_chain_of_thought: bool = True
    """requireChainOfThought drops labels without reasoning from round 2 on (appendix A.2); false suits tasks that are
    answered without any"""


class Method(Contract):
    """What is done with the weak labels. Exactly one member."""

    confidence: ConfidenceMethod | None = None
    """confidence keeps labels that enough of the samples agree on"""
    reward: RewardMethod | None = None
    """reward keeps labels that a reward model takes for right, over several capabilities"""

    @model_validator(mode="after")
    def _exactly_one(self) -> Method:
        if self.reward is not None and self.confidence is not None:
            raise ValueError("exactly one method must be set; got confidence and reward. Remove one of them")
        if self.reward is None and self.confidence is None:
            raise ValueError(
                "exactly one method must be set; got none. "
                "Add confidence: {rounds: [{thresholds: [50]}]}, or reward: {}"
            )
        return self
