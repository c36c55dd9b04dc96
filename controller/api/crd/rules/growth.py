"""What may change once an experiment exists: how it runs, and lists that only grow.

Everything else says what is computed. Another manifest is another experiment; steps that both have in common are not
computed again, so nothing is lost by making one.
"""

from __future__ import annotations

from controller.api.crd.rules.rule import Rule
from controller.api.crd.rules.sweep import INDEXES
from controller.api.method import ConfidenceMethod, Method
from controller.api.reward import RewardMethod
from controller.api.v1alpha1 import ExperimentSpec

__all__ = ["GROWTH_RULES"]

_ANOTHER = "a new experiment under another name: steps that both have in common are not computed again"
_FIXED = f"is fixed once the experiment exists, because it says what is computed. Apply {_ANOTHER}"
_GROWS = f"may only be added to once the experiment exists. Keep what is there, or apply {_ANOTHER}"

_FIXED_FIELDS = (
    (
        ExperimentSpec,
        ("task", "dataset", "capabilities", "models", "sampling", "training", "evaluation", "engine", "storage"),
    ),
    (ConfidenceMethod, ("rewardModel", "requireChainOfThought")),
    (RewardMethod, ("weakTraining", "rewardModel", "shots")),
)
_GROWING_FIELDS = (
    (ExperimentSpec, ("seeds",)),
    (ConfidenceMethod, ("baselines", "ablations")),
    (RewardMethod, ("pairs", "selections", "baselines", "ablations", "noise", "weakened", "removed")),
)

_NOW = "self.rounds[index]"
_BEFORE = "oldSelf.rounds[index]"


def _same(now: str, before: str) -> str:
    """Say that a field that may be missing is as it was; CEL knows no bound for the cost of comparing optionals."""
    return f"has({now}) == has({before}) && (!has({now}) || {now} == {before})"


_SAME_THRESHOLD = _same(f"{_NOW}.confidenceThreshold", f"{_BEFORE}.confidenceThreshold")


def _of_rounds(cel: str, message: str, indexes: str = f"([0] + {INDEXES})") -> Rule:
    """Make a rule of each round that was there before and still is."""
    return Rule(
        ConfidenceMethod,
        f"{indexes}.all(index, index >= size(oldSelf.rounds) || index >= size(self.rounds) || ({cel}))",
        message,
        ".rounds",
    )


GROWTH_RULES = (
    *(
        Rule(on, _same(f"self.{name}", f"oldSelf.{name}"), _FIXED, f".{name}")
        for on, names in _FIXED_FIELDS
        for name in names
    ),
    *(
        Rule(on, f"oldSelf.{name}.all(one, one in self.{name})", _GROWS, f".{name}")
        for on, names in _GROWING_FIELDS
        for name in names
    ),
    Rule(Method, "has(self.confidence) == has(oldSelf.confidence)", f"the method {_FIXED}"),
    Rule(
        RewardMethod,
        _same("self.confidenceThreshold", "oldSelf.confidenceThreshold"),
        _FIXED,
        ".confidenceThreshold",
        "has(oldSelf.confidenceThreshold)",
    ),
    Rule(ConfidenceMethod, "size(self.rounds) >= size(oldSelf.rounds)", f"rounds {_GROWS}", ".rounds"),
    *(
        _of_rounds(f"{_BEFORE}.{name}.all(one, one in {_NOW}.{name})", f"{name} of a round {_GROWS}")
        for name in ("thresholds", "rules", "selections", "after")
    ),
    _of_rounds(f"{_BEFORE}.branches.all(one, one in {_NOW}.branches)", f"branches of a round {_GROWS}", INDEXES),
    _of_rounds(
        f"size({_BEFORE}.after) > 0 || size({_NOW}.after) == 0",
        f"a round without after goes on from all thresholds; after would take some away. {_GROWS}",
    ),
    _of_rounds(
        f"!has({_BEFORE}.confidenceThreshold) || {_SAME_THRESHOLD}",
        f"confidenceThreshold of a round {_FIXED}",
    ),
)
