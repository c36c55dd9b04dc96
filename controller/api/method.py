"""Methods an experiment can run. Each is one optional member of `Method`; exactly one is set."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, JsonValue, model_validator

from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.settings import Percent

__all__ = ["Ablation", "Baseline", "ConfidenceMethod", "Method", "Round"]

Baseline = Literal["weak", "ceiling", "conventional"]
Ablation = Literal["unfiltered", "direct"]


class Round(Contract):
    """One round: label, keep by confidence, train the initial strong model on all that was kept so far."""

    thresholds: tuple[Percent, ...] = Field(min_length=1, max_length=101)
    """thresholds of confidence in percent, ascending and inclusive; each is a branch of the sweep"""
    after: tuple[Percent, ...] = Field(default=(), max_length=101)
    """after names the thresholds of the previous round from which this one goes on; all of them by default"""

    @model_validator(mode="before")
    @classmethod
    def _bare_list(cls, value: Any) -> Any:
        """Accept only a mapping, and say how to write the list that people try first."""
        if isinstance(value, list):
            raise ValueError(f"a round is a mapping; write {{thresholds: {value}}}")
        return value


class ConfidenceMethod(Contract):
    """Labels filtered by vote confidence, in any number of rounds (paper `confidence`, section 3)."""

    rounds: tuple[Round, ...] = Field(min_length=1, max_length=10)
    """rounds in order; the sweep is the product of their thresholds along the tree"""
    baselines: tuple[Baseline, ...] = Field(default=("weak", "ceiling", "conventional"), max_length=3)
    """baselines to compare with; PGR needs weak and ceiling"""
    ablations: tuple[Ablation, ...] = Field(default=(), max_length=2)
    """ablations: unfiltered appends all relabelled rows in round 2, direct trains on bare answers (appendix C.1)"""


class Method(Contract):
    """What is done with the weak labels. Exactly one member."""

    confidence: ConfidenceMethod | None = None
    """confidence keeps labels that enough of the samples agree on"""
    reward: dict[str, JsonValue] | None = Field(default=None, max_length=100)
    """reward is reserved for selection by a reward model; this version refuses it"""

    @model_validator(mode="after")
    def _exactly_one(self) -> Method:
        if self.reward is not None and self.confidence is not None:
            raise ValueError("exactly one method must be set; got confidence and reward. Remove one of them")
        if self.reward is not None:
            raise ValueError("method reward is not available in this version; use confidence")
        if self.confidence is None:
            raise ValueError("exactly one method must be set; got none. Add confidence: {rounds: [{thresholds: [50]}]}")
        return self
