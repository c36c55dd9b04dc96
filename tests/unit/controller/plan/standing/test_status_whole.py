"""What holds of every status: counts add up, it is a function of what is there, and it stays small."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.api.status import ExperimentStatus
from controller.plan.graph import Plan
from controller.plan.standing.projection import project_job, project_pod
from controller.plan.standing.status import project_status
from tests.support.kube_objects import a_job, a_pod, waiting_pod
from tests.support.scenes import ABOUT, LATER, NOW, PLAN, a_situation, scene, without_times


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6))
def test_counts_add_up_and_lists_agree_with_them(seed) -> None:
    status = project_status(ABOUT, a_situation(seed), None, NOW)
    steps = status.steps
    assert steps.total == steps.done + steps.running + steps.waiting + steps.failed + steps.blocked == len(PLAN.steps)
    assert steps.reused <= steps.done
    assert len(status.running) == min(steps.running, 50)
    assert len(status.failed) == min(steps.failed, 20)
    assert len(status.waiting) == min(steps.waiting, 50)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), suspend=st.booleans())
def test_a_status_that_was_deleted_is_projected_again_but_for_its_times(seed, suspend) -> None:
    about, seen = replace(ABOUT, suspend=suspend), a_situation(seed)
    kept = project_status(about, seen, None, NOW)
    kept = project_status(about, seen, kept, LATER)
    anew = project_status(about, seen, None, LATER)
    assert kept == project_status(about, seen, kept, "2026-11-25T18:00:00Z")
    assert without_times(anew) == without_times(kept)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_a_status_read_back_from_the_api_server_is_the_status_that_was_written(seed) -> None:
    status = project_status(ABOUT, a_situation(seed), None, NOW)
    written = json.dumps(status.model_dump(mode="json", by_alias=True, exclude_none=True))
    assert ExperimentStatus.model_validate(json.loads(written)) == status


def test_the_order_in_which_jobs_and_pods_come_changes_nothing() -> None:
    jobs = [a_job(step.key) for step in PLAN.steps[:6]]
    pods = [waiting_pod(job, "ErrImagePull", f"words {i}") for i, job in enumerate(jobs)]
    one = project_status(ABOUT, scene(jobs, pods), None, NOW)
    other = project_status(ABOUT, scene(jobs[::-1], pods[::-1]), None, NOW)
    assert one == other


def test_what_is_kept_of_objects_gives_the_same_status() -> None:
    jobs = [a_job(step.key, kind=step.kind, failed=1) for step in PLAN.steps[:6]]
    pods = [a_pod(job) if i % 2 else waiting_pod(job, "ErrImagePull", "no") for i, job in enumerate(jobs)]
    whole = project_status(ABOUT, scene(jobs, pods), None, NOW)
    kept = project_status(ABOUT, scene(map(project_job, jobs), [project_pod(pod) for pod in pods]), None, NOW)
    assert kept == whole


BIG = Plan(
    experiment="big",
    steps=tuple(
        replace(PLAN.steps[0], key=f"{i:08x}".ljust(64, "0"), name=f"step {i} " + "é" * 300, inputs={})
        for i in range(1, 2001)
    ),
    points=tuple(PLAN.points[0].model_copy(update={"id": f"point-{i}-" + "x" * 200}) for i in range(200)),
    report=f"{2000:08x}".ljust(64, "0"),
)


@pytest.mark.parametrize("fate", ["running", "waiting", "failed"])
def test_two_thousand_steps_stay_below_200_kilobytes(fate) -> None:
    plan = replace(BIG, steps=(*BIG.steps[:-1], with_inputs(BIG)))
    words = "ü" * 4000
    jobs = [a_job(step.key, *(["Failed"] if fate == "failed" else [])) for step in plan.steps[:-1]]
    make = {
        "running": a_pod,
        "waiting": lambda job: waiting_pod(job, unschedulable=words),
        "failed": lambda job: a_pod(job, "Failed", 1, words),
    }[fate]
    status = project_status(ABOUT, scene(jobs, [make(job) for job in jobs], plan=plan), None, NOW)
    assert getattr(status.steps, fate) >= 1999
    size = len(json.dumps(status.model_dump(mode="json", by_alias=True), ensure_ascii=False).encode())
    assert size < 200_000, f"{size} bytes"


def with_inputs(plan: Plan):
    """The last step reads all others, so that all are needed."""
    template = next(item for step in PLAN.steps for items in step.inputs.values() for item in items)
    items = tuple(template.model_copy(update={"key": step.key}) for step in plan.steps[:-1])
    return replace(plan.steps[-1], inputs={"all": items})
