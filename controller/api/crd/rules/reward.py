"""Rules about method `reward`, as `controller/api/reward_rules.py` has them."""

from __future__ import annotations

from controller.api.crd.rules.rule import Rule
from controller.api.reward import ModelPair, RewardMethod
from controller.api.sweep_rules import MOST_POINTS
from controller.api.v1alpha1 import ExperimentSpec

__all__ = ["REWARD_RULES"]

_CHAIN = "self.models.chain"
_PAIRS = "self.method.reward.pairs"
_BY_VOTES = "('confidence' in {0} || 'both' in {0})"
_NOT_FOR_REWARD = "this split is for method confidence, reward makes no use of it. Remove it"


def _reward(cel: str, message: str, at: str) -> Rule:
    """Make a rule of an experiment of this method."""
    return Rule(ExperimentSpec, cel, message, at, "has(self.method.reward)")


def _of_splits(split: str, cel: str, message: str) -> tuple[Rule, Rule]:
    """Make a rule of the one dataset and one of the capabilities, each of which names its place; {0}: the splits."""
    return (
        _reward(f"!has(self.dataset) || {cel.format('self.dataset.splits')}", message, f".dataset.splits.{split}"),
        _reward(
            f"self.capabilities.all(one, {cel.format('one.dataset.splits')})",
            f"{split} of a capability: {message}",
            ".capabilities",
        ),
    )


def _of_sets(field: str) -> tuple[Rule, Rule]:
    """Make the rules of the sets of capabilities that are weakened or removed."""
    here = f"self.method.reward.{field}"
    return (
        Rule(
            RewardMethod,
            f"self.{field}.all(one, self.{field}.exists_one(other, "
            "size(other) == size(one) && other.all(name, name in one)))",
            "a set of capabilities is given twice. Remove one",
            f".{field}",
        ),
        _reward(
            f"has(self.task) ? {here}.all(one, one.all(name, name == self.task.family)) : "
            f"{here}.all(one, one.all(name, self.capabilities.exists(capability, capability.name == name)))",
            "names what is no capability. Name some of spec.capabilities",
            f".method.reward.{field}",
        ),
    )


_CHAIN_RULES = (
    _reward(
        f"size({_CHAIN}) >= 2",
        "method reward needs a chain of two models or more, the smallest first. "
        "Write chain: [{name: small, source: ...}, {name: large, source: ...}]",
        ".models.chain",
    ),
    Rule(ModelPair, "self.weak != self.strong", "would teach itself. Name another model", ".strong"),
    _reward(
        f"{_PAIRS}.all(pair, {_CHAIN}.exists(model, model.name == pair.weak) && "
        f"{_CHAIN}.exists(model, model.name == pair.strong))",
        "names what is no model of the chain. Name some of spec.models.chain",
        ".method.reward.pairs",
    ),
    _reward(
        f"{_PAIRS}.all(pair, pair.weak == pair.strong || {_CHAIN}"
        ".map(model, model.name == pair.weak || model.name == pair.strong, model.name)[0] != pair.strong)",
        "weak stands after strong in the chain, and the smallest model stands first. "
        "Exchange weak and strong, or put the chain in order",
        ".method.reward.pairs",
    ),
    _reward(
        f"{_PAIRS}.all(pair, {_PAIRS}.exists_one(other, "
        "other.weak + '-' + other.strong == pair.weak + '-' + pair.strong))",
        "two pairs would bear one name, weak-strong. Give the models names that cannot be confused",
        ".models.chain",
    ),
    _reward(
        f"size(self.seeds) * (size({_PAIRS}) > 0 ? size({_PAIRS}) : size({_CHAIN}) - 1) * ("
        + " + ".join(
            f"size(self.method.reward.{name})"
            for name in ("baselines", "selections", "ablations", "noise", "weakened", "removed")
        )
        + f") <= {MOST_POINTS}",
        f"more than {MOST_POINTS} trainings in the product of pairs, seeds and what is made of each. "
        "Give fewer pairs or seeds",
        ".method.reward.pairs",
    ),
    _reward(
        f"size(self.method.reward.weakened) == 0 || size({_CHAIN}) < 2 || "
        f"(size({_PAIRS}) > 0 ? {_PAIRS}.exists(pair, pair.weak != {_CHAIN}[0].name) : size({_CHAIN}) > 2)",
        "the smallest model is the only teacher, and none is below it whose labels are weaker. "
        "Put a smaller model before it in the chain, and name who teaches whom in pairs",
        ".method.reward.weakened",
    ),
)

_CAPABILITY_RULES = (
    *_of_splits("labelled", "{0}.labelled > 0", "0 rows; the weak model learns from them. Give it some"),
    *_of_splits(
        "labelled",
        "({0}.labelled == 0 || !('in-context' in self.method.reward.ablations) "
        "|| {0}.labelled >= self.method.reward.shots)",
        "fewer rows than in-context shows before a question. Give it more, or lower spec.method.reward.shots",
    ),
    *_of_splits("calibration", "{0}.calibration == 0", _NOT_FOR_REWARD),
    *_of_splits("extraTest", "(has({0}.extraTest) && {0}.extraTest == 0)", _NOT_FOR_REWARD),
    _reward(
        "self.capabilities.all(one, self.capabilities.exists_one(other, "
        "other.task == one.task && other.dataset.source == one.dataset.source))",
        "two read the same source, so its questions would be learnt and tested twice. "
        "Name another source, or remove one of the two",
        ".capabilities",
    ),
    *_of_sets("weakened"),
    *_of_sets("removed"),
    _reward(
        "self.method.reward.removed.all(one, size(one) < (has(self.task) ? 1 : size(self.capabilities)))",
        "names every capability, and nothing is left to learn. Leave one out of the set",
        ".method.reward.removed",
    ),
)

_LABEL_RULES = (
    Rule(
        RewardMethod,
        "!('random' in self.selections) || 'reward' in self.selections",
        "'random' draws as many labels as 'reward' keeps, and 'reward' is missing. Add it",
        ".selections",
    ),
    Rule(
        RewardMethod,
        f"{_BY_VOTES.format('self.selections')} == has(self.confidenceThreshold)",
        "selections confidence and both keep the labels that reach it, and no other reads it. "
        "Write one in percent, such as 70, beside one of them, or remove it",
        ".confidenceThreshold",
    ),
    _reward(
        f"self.sampling.samples >= 2 || !{_BY_VOTES.format('self.method.reward.selections')}",
        "selections confidence and both need votes. Draw 2 samples or more",
        ".sampling.samples",
    ),
    Rule(RewardMethod, "self.noise.isSorted()", "expected ascending order, each once. Put them in order", ".noise"),
    _reward(
        "!has(self.evaluation.published)",
        "is a setting of the paper of method confidence. Remove it",
        ".evaluation.published",
    ),
)

REWARD_RULES = (*_CHAIN_RULES, *_CAPABILITY_RULES, *_LABEL_RULES)
