"""What a status says of steps that wait, in the words of whoever holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from controller.kube.api import KubeApi
from controller.kube.connect import open_api
from controller.kube.lease_record import Timing
from controller.kube.resource import JOBS, WORKLOADS, Resource
from controller.operator.metrics import Metrics
from controller.operator.operator import Operator, Options
from tests.support.control_plane import ControlPlane
from tests.support.definition import wait_until_served
from tests.support.operator_process import NAMESPACE, running
from tests.support.small_run import SmallRun, small_run

QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
WORKLOAD_CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "workloads.kueue.x-k8s.io",
        "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/kueue"},
    },
    "spec": {
        "group": "kueue.x-k8s.io",
        "names": {"kind": "Workload", "plural": "workloads", "singular": "workload"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1beta1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}
"""Kueue's own type without its schema: Kueue itself is not here, its objects are written by the tests"""
WORKLOAD_READER = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "w2s-kueue"},
    "rules": [{"apiGroups": ["kueue.x-k8s.io"], "resources": ["workloads"], "verbs": ["list", "watch"]}],
}
WORKLOAD_READER_BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "w2s-kueue"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "w2s-kueue"},
    "subjects": [{"kind": "ServiceAccount", "name": "w2s-controller", "namespace": NAMESPACE}],
}


@pytest.fixture
def admin(cluster: ControlPlane) -> KubeApi:
    return open_api(cluster.kubeconfig)


@pytest.fixture
def run(admin: KubeApi, tmp_path: Path) -> Iterator[SmallRun]:
    with small_run(admin, tmp_path, "waiting") as made:
        yield made


@contextmanager
def controller(cluster: ControlPlane, run: SmallRun, **changes: Any) -> Iterator[Operator]:
    installation = run.installation.model_copy(update=changes)
    options = Options(run.lease, workers=2, health=("127.0.0.1", 0), timing=Timing())
    api = open_api(cluster.kubeconfig_for(NAMESPACE, "w2s-controller"))
    with running(Operator(api, installation, Metrics(), options)) as operator:
        yield operator


def wait_for_words(cluster: ControlPlane, run: SmallRun, is_right: Callable[[dict[str, Any]], bool]) -> None:
    cluster.wait_for("the reason", lambda: any(is_right(one) for one in run.status().get("waiting", ())))


def test_a_quota_that_refuses_pods_is_named_and_its_end_is_noticed(
    cluster: ControlPlane, run: SmallRun, admin: KubeApi
) -> None:
    admin.create(QUOTAS, {"metadata": {"name": "tight", "namespace": run.namespace}, "spec": {"hard": {"pods": "0"}}})
    with controller(cluster, run):
        run.submit()
        wait_for_words(
            cluster, run, lambda one: one["reason"] == "QuotaExceeded" and "exceeded quota: tight" in one["message"]
        )
        admin.delete(QUOTAS, "tight", run.namespace)
        cluster.wait_for("the end of the experiment", lambda: run.succeeded)


def test_a_quota_that_refuses_the_job_itself_is_named_and_its_end_is_noticed(
    cluster: ControlPlane, run: SmallRun, admin: KubeApi
) -> None:
    hard = {"count/jobs.batch": "0"}
    admin.create(QUOTAS, {"metadata": {"name": "no-jobs", "namespace": run.namespace}, "spec": {"hard": hard}})
    cluster.wait_for(
        "the quota", lambda: bool(admin.get(QUOTAS, "no-jobs", run.namespace).get("status", {}).get("hard"))
    )
    with controller(cluster, run):
        run.submit()
        wait_for_words(
            cluster, run, lambda one: one["reason"] == "QuotaExceeded" and "exceeded quota: no-jobs" in one["message"]
        )
        admin.delete(QUOTAS, "no-jobs", run.namespace)
        cluster.wait_for("the end of the experiment", lambda: run.succeeded)


def test_what_kueue_says_of_a_job_in_its_queue_is_shown(cluster: ControlPlane, run: SmallRun, admin: KubeApi) -> None:
    cluster.apply(WORKLOAD_CRD, WORKLOAD_READER, WORKLOAD_READER_BINDING)
    wait_until_served(cluster, WORKLOADS)
    workers = run.installation.workers.model_copy(update={"queue": "research"})
    with controller(cluster, run, workers=workers, kueue=True):
        run.submit()
        wait_for_words(cluster, run, lambda one: "queue research has not admitted Job" in one["message"])
        (job,) = run.jobs()
        assert job["spec"]["suspend"], "Kueue lets it go, nobody else"
        admin.create(WORKLOADS, workload(job, "2 workloads are ahead in LocalQueue research"))
        wait_for_words(
            cluster,
            run,
            lambda one: (one["reason"], one["message"]) == ("Queued", "2 workloads are ahead in LocalQueue research"),
        )
        admit(admin, run, job["metadata"]["name"])
        cluster.wait_for("the next Job", lambda: len(run.jobs()) > 1)


def workload(job: dict[str, Any], words: str) -> dict[str, Any]:
    """What Kueue writes for a Job that it does not admit yet."""
    metadata = job["metadata"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"], "uid": metadata["uid"]}
    condition = {
        "type": "QuotaReserved",
        "status": "False",
        "reason": "Pending",
        "message": words,
        "lastTransitionTime": "2026-11-25T15:00:00Z",
    }
    return {
        "apiVersion": WORKLOADS.api_version,
        "kind": WORKLOADS.kind,
        "metadata": {"name": f"job-{metadata['name']}", "namespace": metadata["namespace"], "ownerReferences": [owner]},
        "spec": {"queueName": "research"},
        "status": {"conditions": [condition]},
    }


def admit(admin: KubeApi, run: SmallRun, job: str) -> None:
    """Let a Job go, as Kueue does."""
    admin.merge_patch(JOBS, job, run.namespace, {"spec": {"suspend": False}})
