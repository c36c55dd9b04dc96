"""Rules about method `reward`: its chain, its capabilities, and what its ablations need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from controller.api.document import Path
from controller.api.problems import Problem
from controller.api.reward import RewardMethod
from controller.api.sweep_rules import MOST_POINTS, repeated
from controller.api.v1alpha1 import Capability, WeakToStrongExperiment

__all__ = ["broken_reward_rules"]

_HERE: Path = ("method", "reward")


def broken_reward_rules(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    """Yield what is wrong with an experiment of method `reward`."""
    reward = experiment.spec.method.reward
    if reward is None:
        return
    yield from _chain(experiment, reward)
    yield from _capabilities(experiment, reward)
    yield from _named_sets([one.name for one in experiment.spec.tasks], reward)
    yield from _selections(experiment, reward)
    for name in ("baselines", "ablations", "selections"):
        yield from repeated((*_HERE, name), getattr(reward, name))
    yield from _noise(reward)
    if (published := experiment.spec.evaluation.published) is not None:
        yield ("evaluation", "published"), f"'{published}' is a setting of the paper of method confidence. Remove it"


def _chain(experiment: WeakToStrongExperiment, reward: RewardMethod) -> Iterator[Problem]:
    chain = experiment.spec.models.chain
    names = [model.name for model in chain]
    if len(chain) < 2:
        got = f"'{chain[0].name}' alone" if chain else "weak and strong"
        yield (
            ("models", "chain"),
            f"method reward needs a chain of two models or more, the smallest first; got {got}. "
            "Write chain: [{name: small, source: ...}, {name: large, source: ...}]",
        )
        return
    for index, name in enumerate(names):
        if name in names[:index]:
            yield ("models", "chain", index, "name"), f"'{name}' is the name of another model too. Give each its own"
    yield from _pairs(names, reward)
    taught = [(pair.weak, pair.strong) for pair in reward.pairs] or list(pairwise(names))
    yield from _confused_pairs(taught)
    if reward.weakened and all(weak == names[0] for weak, _ in taught):
        yield (
            (*_HERE, "weakened"),
            f"'{names[0]}' is the only teacher and the smallest model: none is below it whose labels are weaker. "
            "Put a smaller model before it in the chain, and name who teaches whom in pairs",
        )
    points = len(experiment.spec.seeds) * len(taught) * _points_of_a_pair(reward)
    if points > MOST_POINTS:
        yield (
            (*_HERE, "pairs"),
            f"{points} trainings in the product of pairs, seeds and what is made of each; expected at most "
            f"{MOST_POINTS}. Give fewer pairs or seeds",
        )


def _pairs(names: list[str], reward: RewardMethod) -> Iterator[Problem]:
    """Who teaches whom, where that is given."""
    for index, pair in enumerate(reward.pairs):
        here = (*_HERE, "pairs", index)
        unknown = [side for side in ("weak", "strong") if getattr(pair, side) not in names]
        for side in unknown:
            yield (
                (*here, side),
                f"no model of the chain is named '{getattr(pair, side)}'; expected one of {', '.join(names)}",
            )
        if unknown:
            continue
        if pair in reward.pairs[:index]:
            yield here, f"'{pair.weak}' teaches '{pair.strong}' in another pair too. Remove one"
        if pair.weak == pair.strong:
            yield (*here, "strong"), f"'{pair.weak}' would teach itself. Name another model"
        elif names.index(pair.weak) > names.index(pair.strong):
            yield (
                (*here, "weak"),
                f"'{pair.weak}' stands after '{pair.strong}' in the chain, and the smallest model stands first. "
                "Exchange weak and strong, or put the chain in order",
            )


def _confused_pairs(taught: Sequence[tuple[str, str]]) -> Iterator[Problem]:
    """Two pairs that would bear one name in the report."""
    first: dict[str, tuple[str, str]] = {}
    for weak, strong in taught:
        other = first.setdefault(f"{weak}-{strong}", (weak, strong))
        if other != (weak, strong):
            yield (
                ("models", "chain"),
                f"'{other[0]}' teaching '{other[1]}' and '{weak}' teaching '{strong}' would both be called "
                f"{weak}-{strong}. Give the models names that cannot be confused, such as {weak.replace('-', '.')}",
            )


def _points_of_a_pair(reward: RewardMethod) -> int:
    kinds = (reward.baselines, reward.selections, reward.ablations, reward.noise, reward.weakened, reward.removed)
    return sum(map(len, kinds))


def _capabilities(experiment: WeakToStrongExperiment, reward: RewardMethod) -> Iterator[Problem]:
    tasks = experiment.spec.placed_tasks
    for index, (place, one) in enumerate(tasks):
        before = [other for _, other in tasks[:index]]
        if one.name in [other.name for other in before]:
            yield (*place, "name"), f"'{one.name}' is the name of another capability too. Give each its own"
        same = next((other for other in before if _reads_the_same(one, other)), None)
        if same is not None:
            yield (
                (*place, "dataset", "source"),
                f"is the source of '{same.name}' too, so its questions would be learnt and tested twice. "
                "Name another source, or remove one of the two",
            )
        yield from _splits((*place, "dataset", "splits"), one, reward)


def _reads_the_same(one: Capability, other: Capability) -> bool:
    return one.task == other.task and one.dataset.source == other.dataset.source


def _splits(here: Path, one: Capability, reward: RewardMethod) -> Iterator[Problem]:
    splits = one.dataset.splits
    if splits.labelled == 0:
        yield (*here, "labelled"), "0 rows; the weak model learns from them. Give it some, such as half of the records"
    elif "in-context" in reward.ablations and splits.labelled < reward.shots:
        yield (
            (*here, "labelled"),
            f"{splits.labelled} rows; in-context shows {reward.shots} of them before a question. "
            f"Give it {reward.shots} or more, or lower spec.method.reward.shots",
        )
    for split, size in (("calibration", splits.calibration), ("extraTest", splits.extra_test)):
        if size != 0:
            rows = "null" if size is None else size
            yield (*here, split), f"{rows}; this split is for method confidence, reward makes no use of it. Remove it"


def _named_sets(names: list[str], reward: RewardMethod) -> Iterator[Problem]:
    """The sets of capabilities that are weakened or removed."""
    for field in ("weakened", "removed"):
        sets = getattr(reward, field)
        for index, wanted in enumerate(sets):
            here = (*_HERE, field, index)
            yield from repeated(here, wanted)
            for position, name in enumerate(wanted):
                if name not in names:
                    yield (
                        (*here, position),
                        f"no capability is named '{name}'; expected one of {', '.join(names)}",
                    )
            if set(wanted) in [set(other) for other in sets[:index]]:
                yield here, f"[{', '.join(wanted)}] is given twice. Remove one"
    for index, wanted in enumerate(reward.removed):
        if set(wanted) >= set(names):
            fix = "Leave one out of the set" if len(names) > 1 else "Remove the set: it takes several capabilities"
            yield (
                (*_HERE, "removed", index),
                f"[{', '.join(wanted)}] is every capability, and nothing is left to learn. {fix}",
            )


def _selections(experiment: WeakToStrongExperiment, reward: RewardMethod) -> Iterator[Problem]:
    here = (*_HERE, "selections")
    if "random" in reward.selections and "reward" not in reward.selections:
        yield here, "'random' draws as many labels as 'reward' keeps, and 'reward' is missing. Add it"
    by_votes = [rule for rule in reward.selections if rule in ("confidence", "both")]
    if by_votes and reward.confidence_threshold is None:
        yield (
            (*_HERE, "confidenceThreshold"),
            f"missing; selection '{by_votes[0]}' keeps the labels that reach it. Write one in percent, such as 70",
        )
    if reward.confidence_threshold is not None and not by_votes:
        yield (
            (*_HERE, "confidenceThreshold"),
            f"{reward.confidence_threshold}; no selection reads it. Add confidence or both to selections, or remove it",
        )
    if by_votes and experiment.spec.sampling.samples < 2:
        yield (
            ("sampling", "samples"),
            f"{experiment.spec.sampling.samples}; selection '{by_votes[0]}' needs votes. Draw 2 samples or more",
        )


def _noise(reward: RewardMethod) -> Iterator[Problem]:
    for index, (before, percent) in enumerate(pairwise(reward.noise), start=1):
        if percent <= before:
            ordered = ", ".join(map(str, sorted(set(reward.noise))))
            yield (
                (*_HERE, "noise", index),
                f"{percent} comes after {before}; expected ascending order, each once: [{ordered}]",
            )
