"""Jobs of steps before the real API server, Job controller and scheduler, in a namespace of restricted pod security."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.plan.jobs import Owner, build_job, build_service, job_name
from tests.support.job_cases import CASES, STORE
from tests.support.job_ground import JobGround


@pytest.fixture(scope="module")
def owner(ground: JobGround) -> Owner:
    return ground.own("owner")


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_kind_of_job_makes_its_pods_under_restricted_security(ground: JobGround, owner: Owner, name: str) -> None:
    step, context = CASES[name]
    context = replace(context, owner=owner)
    for body in (build_service(step, context), build_job(step, context)):
        if body is not None:
            ground.apply(owner, body)
    job = job_name(step, STORE)
    if context.queue:
        assert ground.job(job)["spec"]["suspend"] is True
        ground.kubectl("patch", "job", job, "-p", '{"spec": {"suspend": false}}')  # what Kueue does
    count = max(step.shards, step.resources.nodes)
    ground.plane.wait_for(f"the pods of {job}", lambda: len(ground.pods(job)) == count)
    assert ground.warnings(job) == []


@pytest.mark.parametrize("name", ["prepare", "grade-with-threads", "sample-in-shards", "train-on-ranks-without-gpus"])
def test_jobs_that_fit_the_simulated_nodes_complete(ground: JobGround, owner: Owner, name: str) -> None:
    step, context = CASES[name]
    ground.apply(owner, build_job(step, replace(context, owner=owner)))
    ground.ended(job_name(step, STORE), "Complete")
    assert ground.status(job_name(step, STORE))["succeeded"] == step.shards


@pytest.mark.parametrize("shards", [1, 3])
def test_an_input_that_can_never_work_ends_the_job_at_once(ground: JobGround, owner: Owner, shards: int) -> None:
    job = ground.start(owner, f"never {shards}", {"exit-code": "42"}, shards)
    failed = ground.ended(job, "Failed")
    assert failed["reason"] == "PodFailurePolicy"
    assert "worker" in failed["message"]
    assert "42" in failed["message"]
    assert len(ground.pods(job)) == shards


def test_a_crash_is_tried_again_as_often_as_the_budget_says(ground: JobGround, owner: Owner) -> None:
    job = ground.start(owner, "crash", {"exit-code": "1"}, limit=1)
    assert ground.ended(job, "Failed")["reason"] == "BackoffLimitExceeded"
    assert ground.status(job)["failed"] == 2


def test_each_shard_has_a_budget_and_the_first_to_exceed_it_ends_the_job(ground: JobGround, owner: Owner) -> None:
    job = ground.start(owner, "crashing shards", {"exit-code": "43"}, shards=3, limit=1)
    assert ground.ended(job, "Failed")["reason"] in ("MaxFailedIndexesExceeded", "FailedIndexes")
    assert ground.status(job)["failed"] >= 4
