"""A pod that is taken away, on a real control plane: it is replaced, and its step pays nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from controller.plan.jobs import Operations, Owner, build_job, job_name
from tests.support.job_cases import STORE, a_context, a_step
from tests.support.job_ground import ONE_GPU, JobGround, a_node


@pytest.fixture(scope="module")
def owner(ground: JobGround) -> Owner:
    return ground.own("owner")


def delete(ground: JobGround, pod: str) -> None:
    ground.kubectl("delete", "pod", pod, "--wait=false")


def delete_by_force(ground: JobGround, pod: str) -> None:
    ground.kubectl("delete", "pod", pod, "--wait=false", "--force", "--grace-period=0")


def evict(ground: JobGround, pod: str) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": ground.namespace}}
    address = f"/api/v1/namespaces/{ground.namespace}/pods/{pod}/eviction"
    ground.kubectl("create", "--raw", address, "-f", "-", stdin=json.dumps(eviction))


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("how", [delete, delete_by_force, evict], ids=lambda how: how.__name__)
def test_a_pod_that_is_taken_away_is_replaced_and_not_charged(
    ground: JobGround, owner: Owner, how, shards: int
) -> None:
    job = ground.start(owner, f"{how.__name__} {shards}", {"duration": "1h"}, shards, limit=0)
    first, *_ = before = ground.running(job, shards)
    how(ground, first)
    ground.plane.wait_for("another pod", lambda: first not in ground.running(job, shards))
    assert len(set(ground.running(job, shards)) - set(before)) == 1
    assert ground.status(job).get("failed", 0) == 0
    ground.kubectl("delete", "job", job)


def test_a_pod_that_is_deleted_before_it_has_a_node_is_not_charged(ground: JobGround, owner: Owner) -> None:
    step = a_step("sample", name="homeless", resources=replace(ONE_GPU, gpus=64))
    ground.apply(owner, build_job(step, a_context(owner=owner, backoff_limit=0)))
    job = job_name(step, STORE)
    ground.plane.wait_for("the pod", lambda: len(ground.pods(job)) == 1)
    (first,) = ground.pods(job)
    delete(ground, first["metadata"]["name"])
    ground.plane.wait_for("another pod", lambda: uids(ground, job).isdisjoint({first["metadata"]["uid"], None}))
    assert ground.status(job).get("failed", 0) == 0
    ground.kubectl("delete", "job", job)


def uids(ground: JobGround, job: str) -> set[str | None]:
    """The uids of a Job's pods; None stands for there being none."""
    return {pod["metadata"]["uid"] for pod in ground.pods(job)} or {None}


def test_a_pod_whose_node_is_lost_is_not_charged(ground: JobGround, owner: Owner) -> None:
    ground.plane.apply(a_node("doomed", {"w2s.dev/pool": "h100", "w2s.test/doomed": "yes"}))
    overlay = {
        "metadata": {"annotations": {"w2s.test/duration": "1h"}},
        "spec": {"nodeSelector": {"w2s.test/doomed": "yes"}},
    }
    step = a_step("sample", name="lost", resources=ONE_GPU)
    ground.apply(owner, build_job(step, a_context(Operations(pod_template=overlay), owner, backoff_limit=0)))
    job = job_name(step, STORE)
    (first,) = ground.running(job)
    ground.plane.kubectl("delete", "node", "doomed")
    ground.plane.wait_for(
        "another pod", lambda: [pod["metadata"]["name"] for pod in ground.pods(job)] not in ([], [first])
    )
    assert ground.status(job).get("failed", 0) == 0
    assert "conditions" not in ground.status(job)
    ground.kubectl("delete", "job", job)
