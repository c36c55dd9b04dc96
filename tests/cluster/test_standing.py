"""Why Jobs wait and fail, on a real API server: the same shapes that the unit tests read from objects.json."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from controller.api.labels import KEY, MANAGED_BY, MANAGER
from controller.api.reasons import Reason, WaitReason
from controller.kube.connect import open_api
from controller.kube.resource import EVENTS, JOBS, PODS, Resource
from controller.plan.jobs.failure_policy import WORKER, build_failure_policy
from controller.plan.standing.conditions import Situation
from controller.plan.standing.events import build_events
from controller.plan.standing.observe import JobPhase, JobState, pods_by_job, read_job
from controller.plan.standing.projection import project_event, project_job, project_pod
from controller.plan.standing.refusals import refusals_by_job
from controller.plan.standing.scene import About
from controller.plan.standing.status import project_trouble
from controller.plan.standing.waiting import Waiter, explain
from tests.support.control_plane import ControlPlane
from tests.support.job_cases import a_step
from tests.support.kube_objects import RECORDED

NAMESPACES = ("standing", "standing-quota", "standing-strict")
GPU = "nvidia.com/gpu"
NOW = "2026-11-25T15:00:00Z"

Object = dict[str, Any]


def a_real_job(
    name: str, namespace: str = NAMESPACES[0], gpus: int = 1, pod: Object | None = None, **spec: Any
) -> Object:
    """A Job of ours; `exit_code` and `duration` say how its simulated pods end, `limit` how often that is charged."""
    step = a_step("sample", shards=spec.get("completions", 1))
    annotations = {
        f"w2s.test/{key}": value
        for key, value in (("duration", spec.pop("duration", "0s")), ("exit-code", spec.pop("exit_code", "0")))
    }
    resources = {"limits": {GPU: str(gpus)}}
    template = {
        "restartPolicy": "Never",
        "tolerations": [{"key": GPU, "operator": "Exists"}],
        "containers": [{"name": WORKER, "image": "none", "resources": resources}],
        **(pod or {}),
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {MANAGED_BY: MANAGER},
            "annotations": {KEY: "ab" * 32},
        },
        "spec": {
            **build_failure_policy(step, spec.pop("limit", 1)),
            **spec,
            "template": {"metadata": {"labels": {MANAGED_BY: MANAGER}, "annotations": annotations}, "spec": template},
        },
    }


ABSENT_CLAIM = {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "absent"}}]}
WAITING: list[tuple[Object, WaitReason, str]] = [
    (a_real_job("unsched", gpus=16), WaitReason.UNSCHEDULABLE, f"Insufficient {GPU}"),
    (a_real_job("taint", pod={"tolerations": []}), WaitReason.UNSCHEDULABLE, "untolerated taint"),
    (a_real_job("selector", pod={"nodeSelector": {"w2s.dev/pool": "a100"}}), WaitReason.UNSCHEDULABLE, "selector"),
    (a_real_job("pvc", pod=ABSENT_CLAIM), WaitReason.CONFIGURATION, 'persistentvolumeclaim "absent" not found'),
    (a_real_job("quota", NAMESPACES[1], gpus=8), WaitReason.QUOTA, "exceeded quota: gpus"),
    (
        a_real_job("nosa", pod={"serviceAccountName": "workers"}),
        WaitReason.CONFIGURATION,
        'serviceaccount "workers" not found',
    ),
    (a_real_job("noprio", pod={"priorityClassName": "nope"}), WaitReason.CONFIGURATION, "PriorityClass with name nope"),
    (a_real_job("psa", NAMESPACES[2]), WaitReason.POD_REFUSED, "violates PodSecurity"),
    (a_real_job("suspended", suspend=True), WaitReason.QUEUE, "somebody suspended"),
    (a_real_job("backoff", exit_code="1", limit=6), WaitReason.BACKOFF, "ended with exit code 1"),
]
ENDING: list[tuple[Object, JobPhase, int | None]] = [
    (a_real_job("ok"), JobPhase.COMPLETE, None),
    (a_real_job("running", duration="600s"), JobPhase.RUNNING, None),
    (a_real_job("fail42", exit_code="42", limit=6), JobPhase.FAILED, 42),
    (a_real_job("fail1", exit_code="1"), JobPhase.FAILED, 1),
    (a_real_job("deadline", duration="600s", activeDeadlineSeconds=1), JobPhase.FAILED, None),
]
PARTLY = a_real_job(
    "quotapart", NAMESPACES[1], gpus=2, duration="600s", completions=4, parallelism=4, completionMode="Indexed"
)


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """The control plane with every Job of the tables in it, which go with their namespaces."""
    control_plane.apply(*({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in NAMESPACES))
    control_plane.kubectl("label", "namespace", NAMESPACES[2], "pod-security.kubernetes.io/enforce=restricted")
    hard = {f"requests.{GPU}": "4"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "gpus", "namespace": NAMESPACES[1]}}
    control_plane.apply({**quota, "spec": {"hard": hard}})
    control_plane.wait_for(
        "the quota's own account",
        lambda: (
            f"requests.{GPU}"
            in control_plane.kubectl("get", "quota", "gpus", "-n", NAMESPACES[1], "-o", "yaml").stdout.partition(
                "\nstatus:"
            )[2]
        ),
    )
    for namespace in NAMESPACES:
        control_plane.wait_for_service_account(namespace)
    control_plane.apply(*(row[0] for row in (*WAITING, *ENDING)), PARTLY)
    yield control_plane
    control_plane.kubectl("delete", "namespace", *NAMESPACES, "--wait=false")


def objects(cluster: ControlPlane, resource: Resource) -> list[Object]:
    api = open_api(cluster.kubeconfig)
    return [one for namespace in NAMESPACES for one in api.list(resource, namespace)[0]]


def look(cluster: ControlPlane, name: str) -> tuple[JobState, Waiter]:
    """Read a Job, its pods and its refusals as the controller would."""
    job = next(project_job(one) for one in objects(cluster, JOBS) if one["metadata"]["name"] == name)
    uid = job["metadata"]["uid"]
    pods = pods_by_job(map(project_pod, objects(cluster, PODS))).get(uid, [])
    state = read_job("ab" * 32, job, pods)
    refusal = refusals_by_job(map(project_event, objects(cluster, EVENTS))).get(uid)
    return state, Waiter(job=state, pods=pods, refusal=refusal)


@pytest.mark.parametrize(("job", "reason", "words"), WAITING, ids=[row[0]["metadata"]["name"] for row in WAITING])
def test_a_real_job_says_why_it_waits(cluster, job, reason, words) -> None:
    name = job["metadata"]["name"]

    def waits() -> bool:
        wait = explain(look(cluster, name)[1])
        return wait.reason is reason and words in wait.message

    cluster.wait_for(f"Job {name} to wait because of {reason}", waits)


@pytest.mark.parametrize(("job", "phase", "code"), ENDING, ids=[row[0]["metadata"]["name"] for row in ENDING])
def test_a_real_job_is_read_as_what_it_came_to(cluster, job, phase, code) -> None:
    name = job["metadata"]["name"]
    cluster.wait_for(f"Job {name} to be {phase}", lambda: look(cluster, name)[0].phase is phase)
    assert look(cluster, name)[0].exit_code == code


def test_a_sampling_that_a_quota_halves_runs_with_the_pods_it_has(cluster) -> None:
    cluster.wait_for("two pods", lambda: look(cluster, "quotapart")[0].pods == 2)
    assert look(cluster, "quotapart")[0].phase is JobPhase.RUNNING


def test_a_pod_that_somebody_deletes_is_replaced_and_not_charged(cluster) -> None:
    cluster.apply(a_real_job("victim", duration="600s"))
    cluster.wait_for("a pod", lambda: look(cluster, "victim")[0].pods == 1)
    first = look(cluster, "victim")[1].pods[0]["metadata"]["name"]
    cluster.kubectl("delete", "pod", first, "-n", NAMESPACES[0])
    cluster.wait_for(
        "another pod",
        lambda: [
            pod["metadata"]["name"] for pod in look(cluster, "victim")[1].pods if pod["metadata"]["name"] != first
        ],
    )
    assert look(cluster, "victim")[0].attempts == 1


def test_the_api_server_takes_an_event_once(cluster) -> None:
    about = About("e", NAMESPACES[0], "uid-1", 1, NOW)
    refused = project_trouble(about, Situation(Reason.INVALID_SPEC, "spec.models: expected a chain"), None, NOW)
    (event,) = build_events(about, None, refused, NOW)
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(event))
    again = cluster.kubectl("create", "-f", "-", stdin=json.dumps(event), check=False)
    assert "AlreadyExists" in again.stderr


def test_recorded_objects_are_of_these_jobs(cluster) -> None:
    """`UPDATE_GOLDEN=1` records them anew."""
    if os.environ.get("UPDATE_GOLDEN"):
        RECORDED.write_text(record(cluster))
    names = {one["metadata"]["name"] for one in json.loads(RECORDED.read_text())["jobs"]}
    assert names >= {row[0]["metadata"]["name"] for row in (*WAITING, *ENDING)}


def record(cluster: ControlPlane) -> str:
    """One object a line, without what only the server needs; of refusals one a Job."""
    kept: dict[str, list[Object]] = {one.plural: objects(cluster, one) for one in (JOBS, PODS)}
    refused = {
        one["involvedObject"]["name"]: one for one in objects(cluster, EVENTS) if one["reason"] == "FailedCreate"
    }
    kept["events"] = list(refused.values())
    for items in kept.values():
        for one in items:
            one["metadata"].pop("managedFields", None)
            one["metadata"].get("annotations", {}).pop("kubectl.kubernetes.io/last-applied-configuration", None)
    lines = (
        f' "{kind}": [\n' + ",\n".join("  " + json.dumps(one, sort_keys=True) for one in items) + "\n ]"
        for kind, items in kept.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"
