"""Rules about method `confidence`, as `controller/api/sweep_rules.py` has them, and about the choice of a method."""

from __future__ import annotations

from controller.api.crd.rules.rule import Rule
from controller.api.method import Branch, ConfidenceMethod, Method, Round
from controller.api.sweep_rules import MOST_POINTS
from controller.api.v1alpha1 import ExperimentSpec
from w2s_jobs.contracts.settings import SamplingSettings

__all__ = ["INDEXES", "SWEEP_RULES"]

MOST_ROUNDS = 10
INDEXES = str(list(range(1, MOST_ROUNDS)))
"""Indexes of the rounds that can follow another: CEL has no counting loop"""

_ROUNDS = "self.method.confidence.rounds"

_THRESHOLDS = "self.thresholds"
_AFTER = "self.after"
_BRANCHES = "self.branches"
_NOT_ASCENDING = "expected ascending order, each threshold once. Put them in order"
_OF_ROUND = "index >= size(self.rounds) ||"


def _known_step(depth: int) -> Rule:
    """Make the rule that branches go on from thresholds of a round; of deeper rounds the budget of CEL allows none."""
    known = f"self.rounds[{depth}].thresholds"
    return Rule(
        ConfidenceMethod,
        f"{INDEXES}.all(index, {_OF_ROUND} index <= {depth} || size({known}) == 0 || "
        f"self.rounds[index].branches.all(branch, size(branch.path) <= {depth} || branch.path[{depth}] in {known}))",
        f"the path of a branch names what is no threshold of round {depth + 1}. Name one of those",
        ".rounds",
    )


def _count_trainings(index: int = 0) -> str:
    """Count the trainings from a round on, for each way to it: those of this round, and what goes on from them.

    They are counted in floating point, because ten rounds of a hundred thresholds are more than an integer holds.
    """
    here, after = f"{_ROUNDS}[{index}]", f"{_ROUNDS}[{index + 1}]"
    swept = f"(size({here}.thresholds) > 0 ? size({here}.thresholds) : size({here}.rules))"
    ends = f"double({swept} + size({here}.selections))"
    if index == MOST_ROUNDS - 1:
        return ends
    goes_on = f"(size({after}.after) > 0 ? double(size({after}.after)) : {ends})"
    return f"{ends} + (size({_ROUNDS}) > {index + 1} ? {goes_on} * ({_count_trainings(index + 1)}) : 0.0)"


SWEEP_RULES = (
    Rule(
        ExperimentSpec,
        "size(self.capabilities) > 0 ? !has(self.task) && !has(self.dataset) : has(self.task) && has(self.dataset)",
        "expected task and dataset, or capabilities. Write task and dataset for one task, capabilities for several",
    ),
    Rule(
        Method,
        "has(self.confidence) != has(self.reward)",
        "exactly one method must be set. Write confidence: {rounds: [{thresholds: [50]}]}, or reward: {}",
    ),
    Rule(
        SamplingSettings,
        "self.temperature != 0.0 || self.samples == 1",
        "temperature 0 is greedy decoding, which gives one completion. Set samples: 1, or a temperature above 0",
    ),
    Rule(
        ExperimentSpec,
        "!has(self.method.confidence) || size(self.models.chain) == 0",
        "is for method reward; confidence needs two models. Name them weak and strong",
        ".models.chain",
    ),
    Rule(
        ExperimentSpec,
        "!has(self.method.confidence) || size(self.capabilities) == 0",
        "are for method reward; confidence needs one task. Write its task and dataset instead",
        ".capabilities",
    ),
    Rule(
        ExperimentSpec,
        "!has(self.method.confidence) || !has(self.dataset) || self.dataset.splits.calibration > 0 || "
        "self.method.confidence.rounds.all(round, !('calibrated' in round.rules))",
        "rule 'calibrated' learns from labelled questions that no model is trained on, and "
        "spec.dataset.splits.calibration has 0 rows. Give it some (200 or more), or use 'agreement'",
        ".method.confidence.rounds",
    ),
    Rule(
        ExperimentSpec,
        f"size({_ROUNDS}) == 0 || {_ROUNDS}.exists(round, size(round.branches) > 0) || "
        f"double(size(self.seeds)) * ({_count_trainings()}) <= {MOST_POINTS}.0",
        f"more than {MOST_POINTS} trainings in the product of thresholds and seeds. "
        "Give fewer thresholds, or name in after those to go on from",
        ".method.confidence.rounds",
        "has(self.method.confidence)",
    ),
    Rule(Round, f"{_THRESHOLDS}.isSorted()", _NOT_ASCENDING, ".thresholds"),
    Rule(Round, f"{_AFTER}.isSorted()", _NOT_ASCENDING, ".after"),
    Rule(Branch, "self.thresholds.isSorted()", _NOT_ASCENDING, ".thresholds"),
    Rule(
        Round,
        f"size({_THRESHOLDS}) + size({_BRANCHES}) + size(self.rules) + size(self.selections) > 0",
        "none, and no rules that choose one. Write thresholds: [50], or rules: [agreement]",
        ".thresholds",
    ),
    Rule(
        Round,
        f"size({_BRANCHES}) == 0 || size({_THRESHOLDS}) == 0",
        "each of the branches has its own. Remove either thresholds or branches",
        ".thresholds",
    ),
    Rule(
        Round,
        f"size({_BRANCHES}) == 0 || size({_AFTER}) == 0",
        "each of the branches has a path, which says the same. Remove after",
        ".after",
    ),
    Rule(
        Round,
        f"size({_BRANCHES}) == 0 || size(self.selections) == 0",
        "stand beside branches, which name each way through the rounds before. Write thresholds instead",
        ".selections",
    ),
    Rule(
        Round,
        "('both' in self.selections) == has(self.confidenceThreshold)",
        "selection both needs it, and no other reads it. Write one in percent beside both, or remove it",
        ".confidenceThreshold",
    ),
    Rule(
        ConfidenceMethod,
        "size(self.rounds) == 0 || size(self.rounds[0].after) == 0 && size(self.rounds[0].branches) == 0",
        "the first round goes on from nothing. Remove its after and branches, and write thresholds",
        ".rounds",
    ),
    Rule(
        ConfidenceMethod,
        f"{INDEXES}.all(index, {_OF_ROUND} size(self.rounds[index - 1].branches) > 0 || "
        f"self.rounds[index].after.all(threshold, "
        f"threshold in self.rounds[index - 1].thresholds))",
        "after names what is no threshold of the round before. Name one of those, or remove after",
        ".rounds",
    ),
    Rule(
        ConfidenceMethod,
        f"{INDEXES}.all(index, {_OF_ROUND} self.rounds[index].branches.all(branch, size(branch.path) == index))",
        "the path of a branch names a threshold of each round before, no more and no less",
        ".rounds",
    ),
    *(_known_step(depth) for depth in range(2)),
    Rule(
        ConfidenceMethod,
        f"{INDEXES}.all(index, {_OF_ROUND} !('calibrated' in self.rounds[index].rules) || "
        f"size(self.rounds[index].after) > 0 || {INDEXES}.all(later, later > index || "
        f"size(self.rounds[later - 1].selections) == 0))",
        "'calibrated' would follow a selection by reward, and no reward is computed of calibration questions. "
        "Name in after the thresholds to go on from, or use 'agreement'",
        ".rounds",
    ),
)
