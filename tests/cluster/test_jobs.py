"""Jobs of steps before the real API server, Job controller and scheduler, in a namespace of restricted pod security."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml

from controller.api.labels import GROUP, KIND, KIND_PLURAL, VERSION
from controller.plan.graph import Resources
from controller.plan.jobs import (
    Operations,
    Owner,
    build_job,
    build_join,
    build_release,
    build_service,
    field_manager,
    job_name,
)
from tests.support.control_plane import ControlPlane
from tests.support.job_cases import CASES, MANIFEST, STORE, a_context, a_step

NAMESPACE = "restricted-jobs"
ONE_GPU = Resources(threads=1, gpus=1, pool="h100")
pytestmark = pytest.mark.timeout(240)


class Cluster:
    """The control plane as these tests ask it."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane

    def kubectl(self, *arguments: str, **options: Any) -> str:
        return self.plane.kubectl("-n", NAMESPACE, *arguments, **options).stdout

    def get(self, *arguments: str) -> Any:
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def own(self, name: str) -> Owner:
        """Create an experiment and return it as an owner."""
        manifest = yaml.safe_load(MANIFEST.read_text())
        manifest["metadata"] = {"name": name, "namespace": NAMESPACE}
        self.plane.apply(manifest)
        return Owner(name, self.get(KIND_PLURAL, name)["metadata"]["uid"], NAMESPACE)

    def apply(self, owner: Owner, body: dict[str, Any]) -> None:
        self.kubectl(
            *("apply", "--server-side", "--field-manager", field_manager(owner), "-f", "-"), stdin=json.dumps(body)
        )

    def start(self, owner: Owner, name: str, annotations: dict[str, str], shards: int = 1, limit: int = 3) -> str:
        """Create the Job of a sampling whose simulated pods do as their annotations say, and return its name."""
        overlay = {"metadata": {"annotations": {f"w2s.test/{key}": value for key, value in annotations.items()}}}
        context = a_context(Operations(pod_template=overlay), owner, backoff_limit=limit)
        step = a_step("sample", name=name, resources=ONE_GPU, shards=shards)
        self.apply(owner, build_job(step, context))
        return job_name(step, STORE)

    def pods(self, job: str) -> list[dict[str, Any]]:
        return self.get("pods", "-l", f"job-name={job}")["items"]

    def running(self, job: str, count: int = 1) -> list[str]:
        """Wait until `count` pods run and return their names."""

        def names() -> list[str]:
            return [
                pod["metadata"]["name"]
                for pod in self.pods(job)
                if pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
            ]

        self.plane.wait_for(f"{count} running pods of {job}", lambda: len(names()) == count)
        return names()

    def status(self, job: str) -> dict[str, Any]:
        return self.get("job", job)["status"]

    def ended(self, job: str, condition: str) -> dict[str, Any]:
        """Wait until a Job has a condition and return the condition."""

        def found() -> list[dict[str, Any]]:
            return [one for one in self.status(job).get("conditions", []) if one["type"] == condition]

        self.plane.wait_for(f"{condition} of {job}", lambda: bool(found()))
        return found()[0]


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane) -> Cluster:
    """A namespace that enforces restricted pod security, with all that the golden Jobs name, and a node for all."""
    level = {"pod-security.kubernetes.io/enforce": "restricted"}
    control_plane.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": level}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "w2s-workers", "namespace": NAMESPACE}},
        {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "batch"}, "value": 5},
        {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "nvidia"}, "handler": "nvidia"},
        a_node("cpu-only", {"w2s.test/cpu": "yes"}),
    )
    if control_plane.kubectl("get", "crd", f"{KIND_PLURAL}.{GROUP}", check=False).returncode:
        control_plane.apply(any_experiment())
    control_plane.wait_for(
        "the resource of experiments", lambda: not control_plane.kubectl("get", KIND_PLURAL, check=False).returncode
    )
    return Cluster(control_plane)


@pytest.fixture(scope="module")
def owner(cluster: Cluster) -> Owner:
    return cluster.own("owner")


def a_node(name: str, labels: dict[str, str]) -> dict[str, object]:
    size = {"cpu": "64", "memory": "500Gi", "pods": "100", "ephemeral-storage": "1000Gi", "nvidia.com/gpu": "2"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"type": "kwok", **labels},
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "status": {"allocatable": size, "capacity": size},
    }


def any_experiment() -> dict[str, object]:
    """A resource definition that takes every experiment: what is tested here is who owns what."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": VERSION, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{KIND_PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": KIND, "plural": KIND_PLURAL},
            "versions": [version],
        },
    }


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_kind_of_job_makes_its_pods_under_restricted_security(cluster: Cluster, owner: Owner, name: str) -> None:
    step, context = CASES[name]
    context = replace(context, owner=owner)
    for body in (build_service(step, context), build_job(step, context)):
        if body is not None:
            cluster.apply(owner, body)
    job = job_name(step, STORE)
    if context.queue:
        assert cluster.get("job", job)["spec"]["suspend"] is True
        cluster.kubectl("patch", "job", job, "-p", '{"spec": {"suspend": false}}')  # what Kueue does
    count = max(step.shards, step.resources.nodes)
    cluster.plane.wait_for(f"the pods of {job}", lambda: len(cluster.pods(job)) == count)
    assert not cluster.get("events", "--field-selector", f"involvedObject.name={job},type=Warning")["items"]


@pytest.mark.parametrize("name", ["prepare", "grade-with-threads", "sample-in-shards", "train-on-ranks-without-gpus"])
def test_jobs_that_fit_the_simulated_nodes_complete(cluster: Cluster, owner: Owner, name: str) -> None:
    step, context = CASES[name]
    cluster.apply(owner, build_job(step, replace(context, owner=owner)))
    cluster.ended(job_name(step, STORE), "Complete")
    assert cluster.status(job_name(step, STORE))["succeeded"] == step.shards


@pytest.mark.parametrize("shards", [1, 3])
def test_an_input_that_can_never_work_ends_the_job_at_once(cluster: Cluster, owner: Owner, shards: int) -> None:
    job = cluster.start(owner, f"never {shards}", {"exit-code": "42"}, shards)
    failed = cluster.ended(job, "Failed")
    assert failed["reason"] == "PodFailurePolicy"
    assert "worker" in failed["message"]
    assert "42" in failed["message"]
    assert len(cluster.pods(job)) == shards


def test_a_crash_is_tried_again_as_often_as_the_budget_says(cluster: Cluster, owner: Owner) -> None:
    job = cluster.start(owner, "crash", {"exit-code": "1"}, limit=1)
    assert cluster.ended(job, "Failed")["reason"] == "BackoffLimitExceeded"
    assert cluster.status(job)["failed"] == 2


def test_each_shard_has_a_budget_and_the_first_to_exceed_it_ends_the_job(cluster: Cluster, owner: Owner) -> None:
    job = cluster.start(owner, "crashing shards", {"exit-code": "43"}, shards=3, limit=1)
    assert cluster.ended(job, "Failed")["reason"] in ("MaxFailedIndexesExceeded", "FailedIndexes")
    assert cluster.status(job)["failed"] >= 4


def delete(cluster: Cluster, pod: str) -> None:
    cluster.kubectl("delete", "pod", pod, "--wait=false")


def delete_by_force(cluster: Cluster, pod: str) -> None:
    cluster.kubectl("delete", "pod", pod, "--wait=false", "--force", "--grace-period=0")


def evict(cluster: Cluster, pod: str) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": NAMESPACE}}
    address = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
    cluster.kubectl("create", "--raw", address, "-f", "-", stdin=json.dumps(eviction))


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("how", [delete, delete_by_force, evict], ids=lambda how: how.__name__)
def test_a_pod_that_is_taken_away_is_replaced_and_not_charged(cluster: Cluster, owner: Owner, how, shards: int) -> None:
    job = cluster.start(owner, f"{how.__name__} {shards}", {"duration": "1h"}, shards, limit=0)
    first, *_ = before = cluster.running(job, shards)
    how(cluster, first)
    cluster.plane.wait_for("another pod", lambda: first not in cluster.running(job, shards))
    assert len(set(cluster.running(job, shards)) - set(before)) == 1
    assert cluster.status(job).get("failed", 0) == 0
    cluster.kubectl("delete", "job", job)


def test_a_pod_that_is_deleted_before_it_has_a_node_is_not_charged(cluster: Cluster, owner: Owner) -> None:
    step = a_step("sample", name="homeless", resources=replace(ONE_GPU, gpus=64))
    cluster.apply(owner, build_job(step, a_context(owner=owner, backoff_limit=0)))
    job = job_name(step, STORE)
    cluster.plane.wait_for("the pod", lambda: len(cluster.pods(job)) == 1)
    (first,) = cluster.pods(job)
    delete(cluster, first["metadata"]["name"])
    cluster.plane.wait_for("another pod", lambda: uids(cluster, job).isdisjoint({first["metadata"]["uid"], None}))
    assert cluster.status(job).get("failed", 0) == 0
    cluster.kubectl("delete", "job", job)


def uids(cluster: Cluster, job: str) -> set[str | None]:
    """The uids of a Job's pods; None stands for there being none."""
    return {pod["metadata"]["uid"] for pod in cluster.pods(job)} or {None}


def test_a_pod_whose_node_is_lost_is_not_charged(cluster: Cluster, owner: Owner) -> None:
    cluster.plane.apply(a_node("doomed", {"w2s.dev/pool": "h100", "w2s.test/doomed": "yes"}))
    overlay = {
        "metadata": {"annotations": {"w2s.test/duration": "1h"}},
        "spec": {"nodeSelector": {"w2s.test/doomed": "yes"}},
    }
    step = a_step("sample", name="lost", resources=ONE_GPU)
    cluster.apply(owner, build_job(step, a_context(Operations(pod_template=overlay), owner, backoff_limit=0)))
    job = job_name(step, STORE)
    (first,) = cluster.running(job)
    cluster.plane.kubectl("delete", "node", "doomed")
    cluster.plane.wait_for(
        "another pod",
        lambda: [pod["metadata"]["name"] for pod in cluster.pods(job)] not in ([], [first]),
        tries=1200,
    )
    assert cluster.status(job).get("failed", 0) == 0
    assert "conditions" not in cluster.status(job)
    cluster.kubectl("delete", "job", job)


@pytest.fixture
def pair(cluster: Cluster) -> Iterator[tuple[Owner, Owner]]:
    owners = cluster.own("first"), cluster.own("second")
    yield owners
    cluster.kubectl("delete", KIND_PLURAL, "first", "second", "--ignore-not-found")


def shared_job(cluster: Cluster, pair: tuple[Owner, Owner], name: str) -> tuple[str, str]:
    """A Job that the first experiment made and the second joined, and its uid."""
    first, second = pair
    step = a_step("sample", name=name, resources=ONE_GPU)
    overlay = {"metadata": {"annotations": {"w2s.test/duration": "1h"}}}
    context = a_context(Operations(pod_template=overlay), first)
    cluster.apply(first, build_job(step, context))
    job = cluster.get("job", job_name(step, STORE))
    join(cluster, second, job)
    job = cluster.get("job", job_name(step, STORE))
    assert {owner["uid"] for owner in job["metadata"]["ownerReferences"]} == {first.uid, second.uid}
    assert job["metadata"]["generation"] == 1
    return job_name(step, STORE), job["metadata"]["uid"]


def join(cluster: Cluster, owner: Owner, job: dict[str, Any]) -> None:
    patch = json.dumps(build_join(job["metadata"]["uid"], owner))
    cluster.kubectl("patch", "job", job["metadata"]["name"], "--type", "strategic", "-p", patch)


def owners_of(cluster: Cluster, job: str) -> set[str]:
    return {owner["name"] for owner in cluster.get("job", job)["metadata"].get("ownerReferences", [])}


def is_gone(cluster: Cluster, job: str) -> bool:
    return (
        "No resources found"
        in cluster.plane.kubectl(*("-n", NAMESPACE, "get", "jobs", "--field-selector", f"metadata.name={job}")).stderr
    )


@pytest.mark.parametrize("first_to_go", ["first", "second"])
def test_a_shared_job_lives_as_long_as_one_of_its_experiments(cluster: Cluster, pair, first_to_go: str) -> None:
    job, uid = shared_job(cluster, pair, f"shared, {first_to_go} goes first")
    cluster.kubectl("delete", KIND_PLURAL, first_to_go)
    stays = "second" if first_to_go == "first" else "first"
    cluster.plane.wait_for("the reference to go", lambda: owners_of(cluster, job) == {stays})
    assert cluster.get("job", job)["metadata"]["uid"] == uid
    assert len(cluster.running(job)) == 1
    cluster.kubectl("delete", KIND_PLURAL, stays)
    cluster.plane.wait_for("the Job to be collected", lambda: is_gone(cluster, job))


@pytest.mark.parametrize("leaver", [0, 1])
def test_an_experiment_leaves_a_shared_job_as_it_is(cluster: Cluster, pair, leaver: int) -> None:
    job, uid = shared_job(cluster, pair, f"left by {leaver}")
    patch = json.dumps(build_release(uid, pair[leaver]))
    for _ in range(2):  # leaving twice is leaving once
        cluster.kubectl("patch", "job", job, "--type", "strategic", "-p", patch)
    assert owners_of(cluster, job) == {pair[1 - leaver].name}
    assert len(cluster.running(job)) == 1


def test_who_leaves_a_job_of_the_same_name_but_not_the_same_job_changes_nothing(cluster: Cluster, pair) -> None:
    job, _ = shared_job(cluster, pair, "recreated")
    other = "99999999-8888-7777-6666-555555555555"
    patch = json.dumps(build_release(other, pair[0]))
    refused = cluster.plane.kubectl("-n", NAMESPACE, "patch", "job", job, "-p", patch, check=False)
    assert refused.returncode
    assert owners_of(cluster, job) == {"first", "second"}


def test_joining_leaves_the_suspension_to_kueue(cluster: Cluster, pair) -> None:
    first, second = pair
    step = a_step("sample", name="queued", resources=ONE_GPU)
    context = a_context(Operations(queue="research"), first)
    cluster.apply(first, build_job(step, context))
    job = job_name(step, STORE)
    cluster.kubectl("patch", "job", job, "--field-manager=kueue", "-p", '{"spec": {"suspend": false}}')
    join(cluster, second, cluster.get("job", job))
    assert cluster.get("job", job)["spec"]["suspend"] is False
    assert owners_of(cluster, job) == {"first", "second"}
