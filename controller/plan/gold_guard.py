"""Refuses a plan in which gold labels reach a step that must not see them.

The guard knows no method: it walks the finished plan, whoever compiled it, and asks of every step what it reads and
what that was made of. Gold of the splits `pretrain` and `labelled` is free. Of the others (extraTest counts as test):

| made of                     | may be read by                                                                        |
|-----------------------------|---------------------------------------------------------------------------------------|
| gold of unlabelled itself   | train of a ceiling, as its examples; clean, as its gold; report                        |
| labels that clean kept      | train of an analysis of noise, as its examples; report                                 |
| a model that learnt of it   | sample over the test questions, as its model; report                                  |
| samples of that             | evaluate, as its samples; report                                                      |
| gold of test itself         | evaluate, as its gold; report                                                         |
| what an evaluation wrote    | report                                                                                |
| gold of calibration itself  | choose, as its gold; report                                                           |
| rows of calibration         | sample, grade, select, choose; no training, because a model that learnt them would    |
|                             | be judged on them. What choose writes is a number, and free                           |

A point of the report that is neither ceiling nor analysis of noise must rest on no gold of unlabelled at all, and
neither of the two is reported as the other. One dataset is split in one way only: in another split the labelled rows
would be among the unlabelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from controller.errors import PlanRefused
from controller.plan.graph import Plan, Step
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.keys import canonical_json
from w2s_jobs.contracts.step_params import PrepareParams

__all__ = ["CEILINGS", "CLEANED", "refuse_gold_leaks"]

CEILINGS = frozenset({"ceiling", "direct-ceiling"})
"""Roles of trainings that may learn from the gold of the unlabelled split."""
CLEANED = frozenset({"clean", "noise"})
"""Roles of trainings whose weak labels were chosen by that gold (paper `reward`, section 3.6): an analysis."""
_REPORTS = ("report", "survey")


_TEST_SPLITS = ("test", "extraTest")
_CALIBRATION_DOORS = frozenset(
    {
        ("sample", "questions"),
        ("grade", "samples"),
        ("select", "votes"),
        ("select", "questions"),
        ("choose", "calibration"),
        ("choose", "discarded"),
    }
)
"""Kinds and roles that read calibration rows without gold."""


@dataclass(frozen=True)
class _Gold:
    """Gold (of calibration: any rows) that an artifact is made of, and the steps by which it came there."""

    split: Literal["unlabelled", "test", "calibration"]
    path: tuple[Step, ...]


_Taints = Mapping[str, _Gold]
"""Gold by split"""


def refuse_gold_leaks(plan: Plan) -> None:
    """Check a plan.

    Raises
    ------
    PlanRefused
        A step would see gold that it must not see. Names the step, the way the gold takes, and the rule.
    """
    _refuse_second_split(plan)
    taints: dict[str, _Taints] = {}
    for step in plan.steps:
        reached: dict[str, _Gold] = _gold_written_by(step)
        for role, item in _items(step):
            if item.key not in taints or plan.step(item.key).kind != item.kind:
                raise PlanRefused(
                    f"step '{step.name}' ({step.ref}) reads {item.ref} as {role}, which no step before it makes; "
                    "what it is made of cannot be told. Let the plan make every artifact that it reads"
                )
            for gold in taints[item.key].values():
                _refuse(plan, step, role, gold)
                if (step.kind, gold.split) != ("choose", "calibration"):  # what that writes is one threshold
                    reached.setdefault(gold.split, _Gold(gold.split, (*gold.path, step)))
        taints[step.key] = reached
    _refuse_false_points(plan, taints)


def _items(step: Step) -> Iterator[tuple[str, Input]]:
    for role, items in step.inputs.items():
        for item in items:
            yield role, item


def _gold_written_by(step: Step) -> dict[str, _Gold]:
    params = step.params
    if not isinstance(params, PrepareParams):
        return {}
    if params.split == "calibration":
        return {"calibration": _Gold("calibration", (step,))}
    if params.part == "gold" and params.split == "unlabelled":
        return {"unlabelled": _Gold("unlabelled", (step,))}
    if params.part == "gold" and params.split in _TEST_SPLITS:
        return {"test": _Gold("test", (step,))}
    return {}


def _refuse(plan: Plan, step: Step, role: str, gold: _Gold) -> None:
    """Refuse `step` unless it may read, in this role, what is made of this gold."""
    if step.kind in _REPORTS:
        return
    writer = gold.path[-1]
    match gold.split, writer.kind:
        case "unlabelled", "prepare":
            ceiling = step.kind == "train" and step.role in CEILINGS and role == "examples"
            allowed = ceiling or (step.kind == "clean" and role == "gold")
            rule = (
                "only the training of a ceiling (as its examples), clean (as its gold) and the report may read gold of "
                "the unlabelled split"
            )
        case "unlabelled", "clean":
            allowed = step.kind == "train" and step.role in CLEANED and role == "examples"
            rule = "labels that were chosen by gold may only be learnt from to analyse noise"
        case "unlabelled", "train":
            allowed = step.kind == "sample" and role == "model" and _samples_test_only(plan, step)
            rule = "a model that learnt from gold of the unlabelled split may only be sampled over the test questions"
        case "unlabelled", "sample":
            allowed = step.kind == "evaluate" and role == "samples"
            rule = "samples of a ceiling may only be evaluated"
        case "test", "prepare":
            allowed = step.kind == "evaluate" and role == "gold"
            rule = "only an evaluation (as its gold) and the report may read gold of the test split"
        case "calibration", _:
            allowed = _reads_calibration(step, role, writer)
            rule = (
                "rows of the calibration split may be sampled, graded, filtered and chosen by, and their gold be read "
                "by choose; no model learns from them"
            )
        case _:
            allowed = False
            rule = f"what {writer.kind} makes of gold is for the report only"
    if not allowed:
        way = " -> ".join(f"'{one.name}' ({one.ref})" for one in (*gold.path, step))
        raise PlanRefused(
            f"step '{step.name}' ({step.ref}) would see gold of the {gold.split} split as its {role}: {way}. "
            f"Rule: {rule}"
        )


def _reads_calibration(step: Step, role: str, writer: Step) -> bool:
    if isinstance(writer.params, PrepareParams) and writer.params.part == "gold":
        return step.kind == "choose" and role == "gold"
    return (step.kind, role) in _CALIBRATION_DOORS


def _samples_test_only(plan: Plan, step: Step) -> bool:
    questions = [plan.step(item.key).params for item in step.inputs.get("questions", ())]
    return bool(questions) and all(
        isinstance(params, PrepareParams) and params.split in _TEST_SPLITS for params in questions
    )


def _refuse_second_split(plan: Plan) -> None:
    first: dict[str, Step] = {}
    for step in plan.steps:
        if not isinstance(step.params, PrepareParams):
            continue
        dataset = canonical_json(
            [step.params.task.model_dump(mode="json"), step.params.source.model_dump(mode="json", by_alias=True)]
        )
        other = first.setdefault(dataset, step)
        if isinstance(other.params, PrepareParams) and _drawn_by(other.params) != _drawn_by(step.params):
            raise PlanRefused(
                f"step '{step.name}' ({step.ref}) splits the same dataset in another way than '{other.name}' "
                f"({other.ref}): rows that are labelled in one are unlabelled in the other. "
                "Rule: one dataset has one split in a plan"
            )


def _drawn_by(params: PrepareParams) -> tuple[object, ...]:
    """What decides which rows lie in which split: a record that is set aside moves all that are drawn after it."""
    return params.splits, params.on_bad_record


def _refuse_false_points(plan: Plan, taints: Mapping[str, _Taints]) -> None:
    for point in plan.points:
        for gold in (taints.get(key, {}).get("unlabelled") for key in point.evaluated):
            if gold is None or point.role in (CLEANED if _was_cleaned(gold) else CEILINGS):
                continue
            way = " -> ".join(f"'{one.name}' ({one.ref})" for one in gold.path)
            raise PlanRefused(
                f"point '{point.id}' is reported as {point.role}, but rests on gold of the unlabelled split: {way}. "
                f"Rule: only {', '.join(sorted(CEILINGS))} may, and of labels that were chosen by it "
                f"{', '.join(sorted(CLEANED))}"
            )


def _was_cleaned(gold: _Gold) -> bool:
    return any(step.kind == "clean" for step in gold.path)
