"""What no Job can be made of is refused before the first Job is created."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace

import pytest

from controller.errors import InvalidExperiment
from controller.plan.graph import Resources, Step
from controller.plan.jobs import Operations, check_jobs
from tests.support.job_cases import CASES, a_context, a_step
from w2s_jobs.contracts.artifact import Input

KINDS = ("prepare", "sample", "grade", "select", "train", "evaluate")


def a_plan(count: int, *last: Step) -> list[Step]:
    """Steps of all kinds, each with a key of its own; the samplings and trainings run on GPUs."""
    firsts = [
        replace(a_step(kind), resources=Resources(gpus=1, pool="h100") if kind in ("sample", "train") else Resources())
        for kind in KINDS
    ]
    numbered = ((number, firsts[number % len(KINDS)]) for number in range(count))
    return [replace(step, key=hashlib.sha256(str(number).encode()).hexdigest()) for number, step in numbered] + [*last]


def on_pool(name: str, **changes: object) -> Step:
    return a_step("sample", name=f"on {name}", resources=Resources(gpus=1, pool=name), **changes)


def too_long() -> Step:
    inputs = (hashlib.sha256(str(number).encode()).hexdigest() for number in range(12_000))
    return a_step("report", inputs={"models": tuple(Input(kind="train", key=key, file="model/") for key in inputs)})


def refusal(steps: list[Step], operations: Operations | None = None) -> list[str]:
    with pytest.raises(InvalidExperiment) as refused:
        check_jobs(steps, a_context(operations))
    assert refused.value.source == "two-rounds"
    return refused.value.problems


def test_a_plan_of_which_every_job_can_be_made_passes() -> None:
    check_jobs(a_plan(60), a_context())
    for step, context in CASES.values():
        check_jobs([step], context)


def test_a_pool_that_only_the_last_step_wants_is_found() -> None:
    (problem,) = refusal(a_plan(40, on_pool("b200")))
    assert problem.startswith("spec.pools: this installation has no pool 'b200'; its pools: h100. ")


def test_a_spec_that_only_the_last_step_has_too_long_is_found() -> None:
    (problem,) = refusal(a_plan(40, too_long()))
    assert "has a specification of" in problem


def test_all_that_is_wrong_is_said_at_once_and_each_thing_once() -> None:
    template = {"spec": {"hostNetwork": True, "nodeSelector": {"w2s.dev/pool": "mine"}}}
    wrong = [on_pool("b200"), on_pool("b200", shards=2), too_long()]
    *paths, last = refusal([*a_plan(40), *wrong], Operations(pod_template=template))
    assert [path.partition(": ")[0] for path in paths] == [
        "spec.podTemplate.spec.hostNetwork",
        "spec.podTemplate.spec.nodeSelector[w2s.dev/pool]",
        "spec.pools",
    ]
    assert last.startswith("step 'report' has a specification of ")


def test_a_plan_of_two_thousand_steps_is_checked_at_once() -> None:
    steps, context = a_plan(2000), a_context()

    def seconds() -> float:
        started = time.process_time()
        check_jobs(steps, context)
        return time.process_time() - started

    assert min(seconds() for _ in range(3)) < 0.1
