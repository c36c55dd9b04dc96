"""Rules about method `reward`: its chain, its capabilities, and what its ablations need."""

from __future__ import annotations

from collections.abc import Iterator

from controller.api.document import Path
from controller.api.problems import Problem
from controller.api.reward import RewardMethod
from controller.api.sweep_rules import repeated
from controller.api.v1alpha1 import WeakToStrongExperiment

__all__ = ["broken_reward_rules"]

_HERE: Path = ("method", "reward")


def broken_reward_rules(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    """Yield what is wrong with an experiment of method `reward`."""
    reward = experiment.spec.method.reward
    if reward is None:
        return
    yield from _chain(experiment, reward)
    yield from _capabilities(experiment, reward)
    yield from _selections(experiment, reward)
    for name in ("baselines", "ablations", "selections", "pairs", "weakened", "removed"):
        yield from repeated((*_HERE, name), getattr(reward, name))
    for index in range(1, len(reward.noise)):
        if reward.noise[index] <= reward.noise[index - 1]:
            ordered = ", ".join(map(str, sorted(set(reward.noise))))
            yield (*_HERE, "noise", index), f"not ascending; expected [{ordered}]"
    if experiment.spec.evaluation.published is not None:
        yield ("evaluation", "published"), "names a setting of the paper of method confidence. Remove it"


def _chain(experiment: WeakToStrongExperiment, reward: RewardMethod) -> Iterator[Problem]:
    chain = experiment.spec.models.chain
    names = [model.name for model in chain]
    if len(chain) < 2:
        got = f"{len(chain)} model" if chain else "weak and strong"
        yield ("models", "chain"), f"method reward needs a chain of two models or more; got {got}. Write chain: [...]"
        return
    for index, name in enumerate(names):
        if name in names[:index]:
            yield ("models", "chain", index, "name"), f"'{name}' is the name of another model too. Give each its own"
    for index, pair in enumerate(reward.pairs):
        for side in ("weak", "strong"):
            if getattr(pair, side) not in names:
                yield (
                    (*_HERE, "pairs", index, side),
                    f"no model of the chain is named '{getattr(pair, side)}'; expected one of {', '.join(names)}",
                )
        if pair.weak == pair.strong:
            yield (*_HERE, "pairs", index, "strong"), f"'{pair.weak}' would teach itself. Name another model"
    teachers = [pair.weak for pair in reward.pairs] or names[:-1]
    if reward.weakened and all(name == names[0] for name in teachers):
        yield (
            (*_HERE, "weakened"),
            f"'{names[0]}' is the only teacher and the smallest model: none is below it whose labels are weaker. "
            "Put a smaller model before it in the chain",
        )


def _capabilities(experiment: WeakToStrongExperiment, reward: RewardMethod) -> Iterator[Problem]:
    names = [one.name for one in experiment.spec.tasks]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield ("capabilities", index, "name"), f"'{name}' is the name of another one too. Give each its own"
    for place, one in experiment.spec.placed_tasks:
        splits, here = one.dataset.splits, (*place, "dataset", "splits")
        least = reward.shots if "in-context" in reward.ablations else 1
        if splits.labelled < least:
            yield (
                (*here, "labelled"),
                f"{splits.labelled} rows; the weak model learns from them. Give it {least} or more",
            )
        for split, size in (("calibration", splits.calibration), ("extraTest", splits.extra_test)):
            if size != 0:
                yield (*here, split), "is a split of method confidence; reward makes no use of it. Remove it"
    yield from _named_sets(names, reward)


def _named_sets(names: list[str], reward: RewardMethod) -> Iterator[Problem]:
    """The sets of capabilities that are weakened or removed."""
    for field in ("weakened", "removed"):
        for index, wanted in enumerate(getattr(reward, field)):
            yield from repeated((*_HERE, field, index), wanted)
            for place_in, name in enumerate(wanted):
                if name not in names:
                    yield (
                        (*_HERE, field, index, place_in),
                        f"no capability is named '{name}'; expected one of {', '.join(names)}",
                    )
    for index, wanted in enumerate(reward.removed):
        if set(wanted) >= set(names):
            yield (*_HERE, "removed", index), "removes every capability, and nothing is left to learn. Leave one"


def _selections(experiment: WeakToStrongExperiment, reward: RewardMethod) -> Iterator[Problem]:
    here = (*_HERE, "selections")
    if "random" in reward.selections and "reward" not in reward.selections:
        yield here, "'random' draws as many as 'reward' keeps, which is missing. Add it"
    by_votes = [rule for rule in reward.selections if rule in ("confidence", "both")]
    if by_votes and reward.confidence_threshold is None:
        yield (*_HERE, "confidenceThreshold"), f"missing; selection {by_votes[0]} needs it. Write one in percent"
    if reward.confidence_threshold is not None and not by_votes:
        yield (*_HERE, "confidenceThreshold"), "no selection reads it. Add confidence or both to selections"
    if by_votes and experiment.spec.sampling.n < 2:
        yield ("sampling", "n"), f"{experiment.spec.sampling.n}; selection {by_votes[0]} needs votes. Draw 2 or more"
