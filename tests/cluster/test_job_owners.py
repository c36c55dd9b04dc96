"""Jobs that experiments share: a real garbage collector, and a real API server that merges who owns what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from controller.api.labels import KIND_PLURAL
from controller.plan.jobs import Operations, Owner, build_job, build_join, build_release, job_name
from tests.support.job_cases import STORE, a_context, a_step
from tests.support.job_ground import ONE_GPU, JobGround


@pytest.fixture
def pair(ground: JobGround) -> Iterator[tuple[Owner, Owner]]:
    owners = ground.own("first"), ground.own("second")
    yield owners
    ground.kubectl("delete", KIND_PLURAL, "first", "second", "--ignore-not-found")


def shared_job(ground: JobGround, pair: tuple[Owner, Owner], name: str) -> tuple[str, str]:
    """A Job that the first experiment made and the second joined, and its uid."""
    first, second = pair
    step = a_step("sample", name=name, resources=ONE_GPU)
    overlay = {"metadata": {"annotations": {"w2s.test/duration": "1h"}}}
    context = a_context(Operations(pod_template=overlay), first)
    ground.apply(first, build_job(step, context))
    join(ground, second, ground.job(job_name(step, STORE)))
    job = ground.job(job_name(step, STORE))
    assert {owner["uid"] for owner in job["metadata"]["ownerReferences"]} == {first.uid, second.uid}
    assert job["metadata"]["generation"] == 1
    return job_name(step, STORE), job["metadata"]["uid"]


def join(ground: JobGround, owner: Owner, job: dict[str, Any]) -> None:
    patch = json.dumps(build_join(job["metadata"]["uid"], owner))
    ground.kubectl("patch", "job", job["metadata"]["name"], "--type", "strategic", "-p", patch)


def owners_of(ground: JobGround, job: str) -> set[str]:
    return {owner["name"] for owner in ground.job(job)["metadata"].get("ownerReferences", [])}


def is_gone(ground: JobGround, job: str) -> bool:
    return (
        "No resources found"
        in ground.plane.kubectl(
            *("-n", ground.namespace, "get", "jobs", "--field-selector", f"metadata.name={job}")
        ).stderr
    )


@pytest.mark.parametrize("first_to_go", ["first", "second"])
def test_a_shared_job_lives_as_long_as_one_of_its_experiments(ground: JobGround, pair, first_to_go: str) -> None:
    job, uid = shared_job(ground, pair, f"shared, {first_to_go} goes first")
    ground.kubectl("delete", KIND_PLURAL, first_to_go)
    stays = "second" if first_to_go == "first" else "first"
    ground.plane.wait_for("the reference to go", lambda: owners_of(ground, job) == {stays})
    assert ground.job(job)["metadata"]["uid"] == uid
    assert len(ground.running(job)) == 1
    ground.kubectl("delete", KIND_PLURAL, stays)
    ground.plane.wait_for("the Job to be collected", lambda: is_gone(ground, job))


@pytest.mark.parametrize("leaver", [0, 1])
def test_an_experiment_leaves_a_shared_job_as_it_is(ground: JobGround, pair, leaver: int) -> None:
    job, uid = shared_job(ground, pair, f"left by {leaver}")
    patch = json.dumps(build_release(uid, pair[leaver]))
    for _ in range(2):  # leaving twice is leaving once
        ground.kubectl("patch", "job", job, "--type", "strategic", "-p", patch)
    assert owners_of(ground, job) == {pair[1 - leaver].name}
    assert len(ground.running(job)) == 1


def test_who_leaves_a_job_of_the_same_name_but_not_the_same_job_changes_nothing(ground: JobGround, pair) -> None:
    job, _ = shared_job(ground, pair, "recreated")
    other = "99999999-8888-7777-6666-555555555555"
    patch = json.dumps(build_release(other, pair[0]))
    refused = ground.plane.kubectl("-n", ground.namespace, "patch", "job", job, "-p", patch, check=False)
    assert refused.returncode
    assert owners_of(ground, job) == {"first", "second"}


def test_joining_leaves_the_suspension_to_kueue(ground: JobGround, pair) -> None:
    first, second = pair
    step = a_step("sample", name="queued", resources=ONE_GPU)
    context = a_context(Operations(queue="research"), first)
    ground.apply(first, build_job(step, context))
    job = job_name(step, STORE)
    ground.kubectl("patch", "job", job, "--field-manager=kueue", "-p", '{"spec": {"suspend": false}}')
    join(ground, second, ground.job(job))
    assert ground.job(job)["spec"]["suspend"] is False
    assert owners_of(ground, job) == {"first", "second"}
