"""What breaks under a running experiment, and in which state it ends: docs/troubleshooting.md says the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.certificates import NODE
from tests.support.small_experiments import FROM_CHECKPOINT, LONG, one_training
from tests.support.whole_cluster import OTHERS, PASSING, WORK, WholeCluster, step_named

OURS = "app.kubernetes.io/managed-by=w2s"


def with_limit(made: dict[str, Any], resource: str, amount: str) -> dict[str, Any]:
    """Let the pods of an experiment have little of something."""
    (container,) = made["spec"]["podTemplate"]["spec"]["containers"]
    container = {**container, "resources": {**container["resources"], "limits": {resource: amount}}}
    made["spec"]["podTemplate"] = {"spec": {"containers": [container]}}
    return made


def waiting(cluster: WholeCluster, name: str, namespace: str = WORK) -> list[str]:
    """Why steps wait."""
    return [one["reason"] for one in cluster.status(name, namespace).get("waiting", [])]


def failed(cluster: WholeCluster, name: str) -> list[dict[str, Any]]:
    """Steps that failed for good."""
    steps: list[dict[str, Any]] = cluster.status(name).get("failed", [])
    return steps


def test_steps_of_a_drained_node_wait_and_go_on_from_their_checkpoint(cluster: WholeCluster) -> None:
    made = one_training("drained", 12)
    cluster.begin(made, step_named(made, LONG))
    try:
        cluster.plane.kubectl("drain", NODE, f"--pod-selector={OURS}", "--delete-emptydir-data", "--timeout=120s")
        cluster.wait_for("a step that waits for a node", lambda: "Unschedulable" in waiting(cluster, "drained"))
    finally:
        cluster.plane.kubectl("uncordon", NODE)

    step = step_named(made, LONG)
    cluster.result_of(step)
    assert cluster.charged(step) == 0
    cluster.wait_for_job(step)
    assert FROM_CHECKPOINT in cluster.tenants[WORK].logs(step)[-1]


def told(cluster: WholeCluster, reason: str, namespace: str) -> str:
    """What the Events of experiments say of one kind."""
    events = cluster.get("events", "--field-selector", f"reason={reason}", namespace=namespace)["items"]
    return "\n".join(event["message"] for event in events)


def test_a_step_with_too_little_memory_or_disk_is_tried_again_and_says_why(cluster: WholeCluster) -> None:
    """Without memory it fails after four attempts; on a small disk a training goes on a little each time."""
    memory = with_limit(one_training("memory", 13), "memory", "96Mi")
    disk = with_limit(one_training("disk", 14, steps=3000), "ephemeral-storage", "64Ki")
    disk["spec"]["storage"] = {"name": OTHERS}
    cluster.apply(memory)
    cluster.apply(disk, OTHERS)
    evicted = "Evicted: Pod ephemeral local storage usage exceeds"
    cluster.wait_for("the kubelet's word", lambda: evicted in told(cluster, "StepRetried", OTHERS), namespace=OTHERS)
    step, store = step_named(disk, LONG), cluster.tenants[OTHERS]
    cluster.wait_for("what was saved to be of use", lambda: any(FROM_CHECKPOINT in log for log in store.logs(step)))
    cluster.wait_for("the end of the step", lambda: bool(failed(cluster, "memory")))
    (of_memory, *_) = failed(cluster, "memory")
    assert "OOMKilled" in of_memory["message"]


@pytest.fixture
def quotas(cluster: WholeCluster) -> Any:
    """One pod at a time for each of two tenants."""
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}}
    for name in (WORK, OTHERS):
        cluster.apply(quota, name)
    yield
    for name in (WORK, OTHERS):
        cluster.kubectl("delete", "resourcequota", "few", namespace=name)


@pytest.mark.usefixtures("quotas")
def test_two_tenants_with_quotas_run_beside_each_other_each_in_its_own_store(cluster: WholeCluster) -> None:
    made = one_training("shared", 15)
    step = step_named(made, LONG)
    del made["spec"]["maxParallelSteps"]  # the quota, and nothing else, is what holds them back
    of = {name: {**made, "spec": {**made["spec"], "storage": {"name": name}}} for name in (WORK, OTHERS)}
    for name, one in of.items():
        cluster.apply(one, name)
    for name in of:
        cluster.wait_for("the quota's word", lambda name=name: "QuotaExceeded" in waiting(cluster, "shared", name))
    results = [cluster.result_of(step, name) for name in of]
    assert results[0]["attempt"] != results[1]["attempt"], "the same key in two stores is computed twice"
    for name in of:
        going_on, _ = cluster.condition("shared", "Progressing", name)
        assert going_on == "True", "neither waited for the end of the other"


@pytest.fixture
def passing(cluster: WholeCluster) -> Iterator[str]:
    """A namespace to delete; it comes back, since Helm upgrades nothing of which a namespace is gone."""
    yield PASSING
    cluster.plane.kubectl("create", "namespace", PASSING, check=False)


def test_a_deleted_namespace_goes_with_all_that_ran_in_it_and_the_controller_works_on(
    cluster: WholeCluster, passing: str
) -> None:
    made = one_training("gone", 16)
    made["spec"]["storage"] = {"name": passing}
    cluster.begin(made, step_named(made, LONG), passing)
    cluster.plane.kubectl("delete", "namespace", passing, "--timeout=120s")
    step = step_named(made, LONG)
    assert cluster.tenants[passing].result(step) is None
    assert cluster.tenants[passing].results(), "what was made stays in the store"
    other = one_training("after", 17)
    cluster.apply(other)
    cluster.result_of(step_named(other, "prepare labelled gold"))
