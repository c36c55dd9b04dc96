"""What breaks under a running experiment, and in which state it ends: docs/troubleshooting.md says the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.certificates import NODE
from tests.support.chart import NAMESPACE
from tests.support.whole_cluster import OTHERS, PASSING, WORK, WholeCluster, step_named
from tests.whole.test_training_on_two_pods import manifest

LONG, NEXT = "pretrain weak 1", "weak labels seed 0"
OURS = "app.kubernetes.io/managed-by=w2s"


def experiment(name: str, number: int) -> dict[str, Any]:
    """An experiment of its own, of which no step is there already."""
    made = manifest(name)
    made["spec"]["dataset"]["splits"]["seed"] = number
    return made


def with_limit(made: dict[str, Any], resource: str, amount: str) -> dict[str, Any]:
    """Let the pods of an experiment have little of something."""
    (container,) = made["spec"]["podTemplate"]["spec"]["containers"]
    container = {**container, "resources": {**container["resources"], "limits": {resource: amount}}}
    made["spec"]["podTemplate"] = {"spec": {"containers": [container]}}
    return made


def begin(cluster: WholeCluster, made: dict[str, Any], namespace: str = WORK) -> None:
    """Apply an experiment and wait until its training is on its way."""
    step, tenant = step_named(made, LONG), cluster.tenants[namespace]
    cluster.apply(made, namespace)
    cluster.wait_for("a part of the training", lambda: tenant.progress(step) > 20, namespace=namespace)


def waiting(cluster: WholeCluster, name: str, namespace: str = WORK) -> list[str]:
    """Why steps wait."""
    status = cluster.get("w2s", name, namespace=namespace).get("status", {})
    return [one["reason"] for one in status.get("waiting", [])]


def is_over(cluster: WholeCluster, name: str, namespace: str) -> bool:
    """Tell whether an experiment has ended."""
    conditions = cluster.get("w2s", name, namespace=namespace)["status"]["conditions"]
    return any(one["type"] == "Progressing" and one["status"] == "False" for one in conditions)


def failed(cluster: WholeCluster, name: str, namespace: str) -> list[dict[str, Any]]:
    """Steps that failed for good."""
    steps: list[dict[str, Any]] = cluster.get("w2s", name, namespace=namespace).get("status", {}).get("failed", [])
    return steps


def lease(cluster: WholeCluster) -> dict[str, Any]:
    """What the controllers lead by."""
    spec: dict[str, Any] = cluster.get("lease", "w2s-controller", namespace=NAMESPACE)["spec"]
    return spec


def kill_leader(cluster: WholeCluster) -> str:
    """Kill the controller that renews the Lease, and return its name; a holder that has ended renews nothing."""
    seen, names = lease(cluster)["renewTime"], []

    def is_killed() -> bool:
        now = lease(cluster)
        names.append(now["holderIdentity"])
        pod = names[-1].rpartition("-")[0]
        return now["renewTime"] != seen and cluster.kill(cluster.get("pod", pod, namespace=NAMESPACE))

    cluster.wait_for("a leader to kill", is_killed, namespace=NAMESPACE)
    return str(names[-1])


def test_an_experiment_goes_on_through_restarts_of_all_that_it_stands_on(cluster: WholeCluster) -> None:
    made = experiment("restarts", 11)
    begin(cluster, made)

    cluster.plane.stop("kube-apiserver")
    cluster.plane.start("kube-apiserver")
    cluster.plane.wait_until_ready()
    cluster.admin.restart()
    cluster.plane.stop("kubelet")
    cluster.plane.start("kubelet")
    cluster.node.wait_until_ready()
    killed = kill_leader(cluster)

    cluster.result_of(step_named(made, LONG))
    assert cluster.charged(step_named(made, LONG)) == 0
    cluster.result_of(step_named(made, NEXT))
    keys = [job["metadata"]["annotations"]["w2s.dev/key"] for job in cluster.get("jobs")["items"]]
    assert len(keys) == len(set(keys)), "no step has two Jobs"
    assert lease(cluster)["holderIdentity"] != killed


def test_steps_of_a_drained_node_wait_and_go_on_from_their_checkpoint(cluster: WholeCluster) -> None:
    made = experiment("drained", 12)
    begin(cluster, made)
    try:
        cluster.plane.kubectl("drain", NODE, f"--pod-selector={OURS}", "--delete-emptydir-data", "--timeout=120s")
        cluster.wait_for("a step that waits for a node", lambda: "Unschedulable" in waiting(cluster, "drained"))
    finally:
        cluster.plane.kubectl("uncordon", NODE)

    step = step_named(made, LONG)
    cluster.result_of(step)
    assert cluster.charged(step) == 0
    assert "going on from the checkpoint after step" in cluster.tenants[WORK].logs(step)


def told(cluster: WholeCluster, reason: str, namespace: str) -> str:
    """What the Events of experiments say of one kind."""
    events = cluster.get("events", "--field-selector", f"reason={reason}", namespace=namespace)["items"]
    return "\n".join(event["message"] for event in events)


def test_a_step_with_too_little_memory_or_disk_is_tried_again_and_says_why(cluster: WholeCluster) -> None:
    """Without memory it fails after four attempts; on a small disk a training goes on a little each time."""
    memory = with_limit(experiment("memory", 13), "memory", "96Mi")
    disk = with_limit(experiment("disk", 14), "ephemeral-storage", "64Ki")
    disk["spec"]["storage"] = {"name": OTHERS}
    cluster.apply(memory)
    cluster.apply(disk, OTHERS)
    evicted = "Evicted: Pod ephemeral local storage usage exceeds"
    cluster.wait_for("the kubelet's word", lambda: evicted in told(cluster, "StepRetried", OTHERS), namespace=OTHERS)
    cluster.wait_for("the end of the step", lambda: bool(failed(cluster, "memory", WORK)))
    (of_memory, *_) = failed(cluster, "memory", WORK)
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
    made = experiment("shared", 15)
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
        assert not is_over(cluster, "shared", name), "neither waited for the end of the other"


def test_a_deleted_namespace_goes_with_all_that_ran_in_it_and_the_controller_works_on(cluster: WholeCluster) -> None:
    made = experiment("gone", 16)
    made["spec"]["storage"] = {"name": PASSING}
    begin(cluster, made, PASSING)
    cluster.plane.kubectl("delete", "namespace", PASSING, "--timeout=120s")
    step = step_named(made, LONG)
    assert cluster.tenants[PASSING].result(step) is None
    assert cluster.tenants[PASSING].results(), "what was made stays in the store"
    other = experiment("after", 17)
    cluster.apply(other)
    cluster.result_of(step_named(other, "prepare labelled gold"))
