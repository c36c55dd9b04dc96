"""A Job that several experiments share, and its Service: who joins adds an owner and changes nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import yaml

from controller.api.labels import KIND_PLURAL
from controller.kube.api import KubeApi, Object
from controller.kube.connect import open_api
from controller.kube.errors import Invalid, NotFound
from controller.kube.resource import EXPERIMENTS, JOBS, PODS, SERVICES
from controller.operator.cluster import Cluster
from controller.plan.graph import Resources, Step
from controller.plan.jobs import JobContext, Operations, Owner, job_name
from controller.settings import Store
from tests.support.control_plane import ControlPlane
from tests.support.job_cases import MANIFEST, a_context, a_step
from tests.support.operator_process import install
from tests.support.small_objects import own_namespace
from w2s_jobs.contracts.settings import Parallelism
from w2s_jobs.contracts.steps import StoreSettings


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> KubeApi:
    install(control_plane)
    return open_api(control_plane.kubeconfig)


@pytest.fixture
def namespace(api: KubeApi) -> Iterator[str]:
    with own_namespace(api, "shared-jobs") as name:
        yield name


@pytest.fixture
def cluster(api: KubeApi, namespace: str) -> Cluster:
    return Cluster.watch(api, api, [namespace])


Experiment = Callable[[str], JobContext]


@pytest.fixture
def experiment(api: KubeApi, namespace: str) -> Experiment:
    """Create an experiment; return what its Jobs have in common."""

    def create(name: str) -> JobContext:
        manifest = yaml.safe_load(MANIFEST.read_text())
        manifest["metadata"] = {"name": name, "namespace": namespace}
        uid = api.create(EXPERIMENTS, manifest)["metadata"]["uid"]
        overlay = {"metadata": {"annotations": {"w2s.test/duration": "1h"}}}
        return a_context(Operations(pod_template=overlay), Owner(name, uid, namespace))

    return create


def sampling(name: str) -> Step:
    return a_step("sample", name=name, resources=Resources(gpus=1, pool="h100"))


def training(name: str) -> Step:
    return a_step(
        "train",
        name=name,
        parallelism=Parallelism(zero_stage=3, ranks=2),
        resources=Resources(gpus=1, pool="h100", nodes=2),
    )


def owners_of(obj: Object) -> set[str]:
    return {owner["name"] for owner in obj["metadata"].get("ownerReferences", ())}


def read(api: KubeApi, step: Step, context: JobContext) -> Object:
    return api.get(JOBS, job_name(step, context.store), context.owner.namespace)


def eventually(is_so: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(900):
        if is_so():
            return
        pause.wait(0.1)
    raise AssertionError("it did not come to be")


def test_who_created_a_job_may_leave_it_and_join_it_again(api: KubeApi, cluster: Cluster, experiment) -> None:
    """By an apply it would give up all that it applied before."""
    step, first, second = sampling("left and joined"), experiment("first"), experiment("second")
    cluster.start_step(step, first)
    created = read(api, step, first)
    uid = created["metadata"]["uid"]
    cluster.join_step(step, second, uid)
    cluster.leave(read(api, step, first), first.owner)
    assert owners_of(read(api, step, first)) == {"second"}
    cluster.join_step(step, first, uid)
    cluster.join_step(step, first, uid)
    found = read(api, step, first)
    assert owners_of(found) == {"first", "second"}
    assert found["spec"] == created["spec"]
    assert found["metadata"]["generation"] == 1


def test_joining_leaves_the_suspension_to_kueue(api: KubeApi, cluster: Cluster, experiment) -> None:
    step, second = sampling("queued"), experiment("second")
    first = replace(experiment("first"), operations=Operations(queue="research"))
    cluster.start_step(step, first)
    job = read(api, step, first)
    assert job["spec"]["suspend"] is True
    api.merge_patch(JOBS, job["metadata"]["name"], job["metadata"]["namespace"], {"spec": {"suspend": False}})
    cluster.join_step(step, second, job["metadata"]["uid"])
    assert read(api, step, first)["spec"]["suspend"] is False


@pytest.mark.parametrize("difference", [{"image": "other:1"}, {"pod_template": {}}, {"queue": "research"}])
def test_who_would_create_a_job_that_another_made_differently_joins_it(
    api: KubeApi, cluster: Cluster, experiment, difference
) -> None:
    step, first, second = sampling(f"made {sorted(difference)}"), experiment("first"), experiment("second")
    cluster.start_step(step, first)
    cluster.start_step(step, replace(second, operations=replace(second.operations, **difference)))
    found = read(api, step, first)
    assert owners_of(found) == {"first", "second"}
    assert found["metadata"]["generation"] == 1


def test_a_job_that_is_another_by_now_is_not_joined(api: KubeApi, cluster: Cluster, experiment) -> None:
    step, first, second = sampling("recreated"), experiment("first"), experiment("second")
    cluster.start_step(step, first)
    with pytest.raises(Invalid, match=r"metadata\.uid"):
        cluster.join_step(step, second, "99999999-8888-7777-6666-555555555555")
    assert owners_of(read(api, step, first)) == {"first"}


def test_a_job_that_went_is_not_joined(cluster: Cluster, experiment) -> None:
    with pytest.raises(NotFound):
        cluster.join_step(sampling("gone"), experiment("late"), "99999999-8888-7777-6666-555555555555")


def test_the_service_of_a_shared_training_outlives_the_experiment_that_made_it(
    control_plane: ControlPlane, api: KubeApi, cluster: Cluster, experiment
) -> None:
    step, first, second = training("on two nodes"), experiment("first"), experiment("second")
    namespace, name = first.owner.namespace, job_name(step, first.store)
    cluster.start_step(step, first)
    cluster.join_step(step, second, read(api, step, first)["metadata"]["uid"])
    assert owners_of(api.get(SERVICES, name, namespace)) == {"first", "second"}
    control_plane.kubectl("-n", namespace, "delete", KIND_PLURAL, "first")
    eventually(lambda: owners_of(api.get(SERVICES, name, namespace)) == {"second"})
    eventually(lambda: owners_of(read(api, step, first)) == {"second"})
    control_plane.kubectl("-n", namespace, "delete", KIND_PLURAL, "second")
    eventually(lambda: not api.list(SERVICES, namespace)[0] and not api.list(JOBS, namespace)[0])


def test_the_same_training_for_two_stores_is_two_jobs_each_with_the_pods_of_its_own_service(
    api: KubeApi, cluster: Cluster, experiment
) -> None:
    step, ours = training("for two stores"), experiment("ours")
    elsewhere = Store(name="elsewhere", settings=StoreSettings(uri="s3://elsewhere"))
    theirs = replace(experiment("theirs"), store=elsewhere)
    namespace = ours.owner.namespace
    for context in (ours, theirs):
        cluster.start_step(step, context)
    eventually(lambda: len(api.list(PODS, namespace)[0]) == 4)
    for context in (ours, theirs):
        job, service = (api.get(kind, job_name(step, context.store), namespace) for kind in (JOBS, SERVICES))
        selector = ",".join(f"{label}={value}" for label, value in service["spec"]["selector"].items())
        pods, _ = api.list(PODS, namespace, selector)
        assert owners_of(job) == {context.owner.name}
        assert [pod["metadata"]["ownerReferences"][0]["uid"] for pod in pods] == [job["metadata"]["uid"]] * 2
