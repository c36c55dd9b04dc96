"""Rules about the method's sweep: rounds, their thresholds and branches, and the rules that choose among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import get_args

from controller.api.document import Path
from controller.api.method import ConfidenceMethod, Round
from controller.api.problems import Problem
from controller.api.v1alpha1 import WeakToStrongExperiment
from w2s_jobs.contracts.settings import ThresholdRule

__all__ = ["MOST_POINTS", "broken_sweep_rules", "repeated"]

MOST_POINTS = 20_000
"""Sweep points that one experiment may have: beyond it the product of the thresholds is a slip, not a wish."""


def broken_sweep_rules(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    """Yield what is wrong with the sweep of method `confidence`."""
    confidence = experiment.spec.method.confidence
    if confidence is None:
        return
    here: Path = ("method", "confidence")
    if experiment.spec.models.chain:
        names = ", ".join(model.name for model in experiment.spec.models.chain)
        yield (
            ("models", "chain"),
            f"[{names}] is a chain, which is for method reward; confidence needs two models. Name them weak and strong",
        )
    if experiment.spec.capabilities:
        names = ", ".join(one.name for one in experiment.spec.capabilities)
        yield (
            ("capabilities",),
            f"[{names}] are for method reward; confidence needs one task. Write its task and dataset instead",
        )
        return
    (task,) = experiment.spec.tasks
    for name in ("baselines", "ablations"):
        yield from repeated((*here, name), getattr(confidence, name))
    for index, one in enumerate(confidence.rounds):
        place = (*here, "rounds", index)
        yield from _thresholds(place, one)
        yield from _goes_on_from((*place, "after"), one, confidence.rounds[index - 1] if index else None)
        yield from _branches((*place, "branches"), one, confidence.rounds[:index])
        yield from _rules((*place, "rules"), one, task.dataset.splits.calibration)
        yield from _selections(place, one, confidence.rounds[:index])
    points = _count_points(confidence) * len(experiment.spec.seeds)
    if points > MOST_POINTS:
        yield (
            (*here, "rounds"),
            f"{points} trainings in the product of thresholds and seeds; expected at most {MOST_POINTS}. "
            "Give fewer thresholds, or name in `after` those to go on from",
        )


def _thresholds(place: Path, one: Round) -> Iterator[Problem]:
    if not (one.thresholds or one.branches or one.rules or one.selections):
        yield (
            (*place, "thresholds"),
            f"none, and no rules that choose one. Write thresholds: [50], or rules: [{get_args(ThresholdRule)[1]}]",
        )
    if one.branches and one.thresholds:
        yield (*place, "thresholds"), "each of the branches has its own. Remove either thresholds or branches"
    yield from _ascending((*place, "thresholds"), one.thresholds)
    yield from _ascending((*place, "after"), one.after)


def _goes_on_from(path: Path, one: Round, previous: Round | None) -> Iterator[Problem]:
    if not one.after:
        return
    if previous is None:
        yield path, "the first round has none before it. Remove it"
        return
    if one.branches:
        yield path, "each of the branches has a path, which says the same. Remove after"
        return
    known = sorted({*previous.thresholds, *(t for branch in previous.branches for t in branch.thresholds)})
    if not known:
        yield path, "the rules of the previous round choose its threshold, which is not known yet. Remove after"
        return
    for index, threshold in enumerate(one.after):
        if threshold not in known:
            yield (
                (*path, index),
                f"{threshold} is no threshold of the previous round, which has {', '.join(map(str, known))}. "
                "Name one of those",
            )


def _branches(path: Path, one: Round, before: Sequence[Round]) -> Iterator[Problem]:
    if one.branches and not before:
        yield path, "the first round goes on from nothing. Write thresholds"
        return
    for index, branch in enumerate(one.branches):
        here = (*path, index, "path")
        name = _name(branch.path)
        yield from _ascending((*path, index, "thresholds"), branch.thresholds)
        if any(other.path == branch.path for other in one.branches[:index]):
            yield here, f"{name} is given twice. Put its thresholds into one branch"
        elif len(branch.path) != len(before):
            yield here, f"{name} names {len(branch.path)} of {len(before)} rounds before. Name a threshold of each"
        else:
            yield from _unknown_path(here, branch.path, before)


def _unknown_path(path: Path, wanted: Sequence[int], before: Sequence[Round]) -> Iterator[Problem]:
    """Yield the first threshold of a path that the sweep does not take."""
    for depth, threshold in enumerate(wanted):
        known = before[depth].swept_after(tuple(wanted[:depth]))
        if threshold in known:
            continue
        after = f" after {_name(wanted[:depth])}" if depth else ""
        if known:
            has = ", ".join(map(str, known))
            said = f"{threshold} is no threshold of round {depth + 1}{after}, which has {has}. Name one of those"
        elif before[depth].is_chosen:
            said = (
                f"the rules of round {depth + 1} choose its threshold, which is not known yet. Write thresholds there"
            )
        else:
            said = f"round {depth + 1} does not go on{after}. Name a path that it takes"
        yield (*path, depth), said
        return


def _rules(path: Path, one: Round, calibration: int) -> Iterator[Problem]:
    yield from repeated(path, one.rules)
    for index, rule in enumerate(one.rules):
        if rule == "calibrated" and calibration == 0:
            yield (
                (*path, index),
                "'calibrated' learns from labelled questions that no model is trained on, and "
                "spec.dataset.splits.calibration has 0 rows. Give it some (200 or more), or use 'agreement'",
            )


def _selections(place: Path, one: Round, before: Sequence[Round]) -> Iterator[Problem]:
    here = (*place, "selections")
    yield from repeated(here, one.selections)
    if ("both" in one.selections) != (one.confidence_threshold is not None):
        missing = "missing; selection both needs it. Write one in percent"
        unread = "no selection reads it. Add both to selections, or remove it"
        yield (*place, "confidenceThreshold"), missing if one.confidence_threshold is None else unread
    if one.branches and one.selections:
        yield here, "stand beside branches, which name each way through the rounds before. Write thresholds instead"
    if "calibrated" in one.rules and not one.after and any(earlier.selections for earlier in before):
        yield (
            (*place, "rules"),
            "'calibrated' would follow a selection by reward, and no reward is computed of calibration questions. "
            "Name in after the thresholds to go on from, or use 'agreement'",
        )


def _count_points(confidence: ConfidenceMethod) -> int:
    """Count the trainings of the rounds without walking the sweep, which may be too large to be walked."""
    total = 0
    ends: Counter[int | str] = Counter()
    for index, one in enumerate(confidence.rounds):
        if one.branches:
            ends = Counter(threshold for branch in one.branches for threshold in branch.thresholds)
        else:
            ways = sum(n for end, n in ends.items() if not one.after or end in one.after) if index else 1
            ends = Counter(dict.fromkeys((*(one.thresholds or one.rules), *one.selections), ways))
        total += sum(ends.values())
    return total


def _ascending(path: Path, values: Sequence[int]) -> Iterator[Problem]:
    for index in range(1, len(values)):
        if values[index] == values[index - 1]:
            yield (*path, index), f"{values[index]} is given twice. Remove one"
        elif values[index] < values[index - 1]:
            ordered = ", ".join(map(str, sorted(set(values))))
            yield (
                (*path, index),
                f"{values[index]} comes after {values[index - 1]}; expected ascending order: [{ordered}]",
            )


def repeated(path: Path, values: Sequence[object]) -> Iterator[Problem]:
    """Yield each value that stands in a list for the second time."""
    for index, value in enumerate(values):
        if value in values[:index]:
            yield (*path, index), f"{value!r} is given twice. Remove one"


def _name(path: Sequence[int]) -> str:
    return " → ".join(map(str, path))
