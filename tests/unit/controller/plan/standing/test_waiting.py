"""Why a step waits."""

import json
from dataclasses import replace
from typing import Any

import pytest

from controller.api.reasons import WaitReason
from controller.plan.standing.observe import pods_by_job, read_job
from controller.plan.standing.projection import project_event, project_job, project_pod, project_workload
from controller.plan.standing.refusals import Refusal, read_refusal, refusals_by_job
from controller.plan.standing.waiting import Waiter, explain
from tests.support.kube_objects import RECORDED, a_job, a_pod, a_refusal, recorded, waiting_pod

KEY = "a" * 64
PLAIN = a_job(KEY)
HELD = a_job(KEY, "Suspended", spec__suspend=True, metadata__queue="team")
QUOTA = 'pods "w2s-1" is forbidden: exceeded quota: gpus, requested: requests.nvidia.com/gpu=8, limited: 4'


def waiter(job: dict[str, Any], *pods: dict[str, Any], **known: Any) -> Waiter:
    return Waiter(job=read_job(KEY, job, pods), pods=pods, **known)


def workload(kind: str, status: str, message: str) -> dict[str, Any]:
    condition = {"type": kind, "status": status, "reason": "Pending", "message": message}
    return {"metadata": {"name": "job-w2s"}, "spec": {"queueName": "team"}, "status": {"conditions": [condition]}}


TABLE: list[tuple[str, Waiter, WaitReason, str]] = [
    (
        "steps before it come first",
        Waiter(unmet=("sample a", "sample b"), limit=2),
        WaitReason.DEPENDENCIES,
        "waits for sample a and sample b",
    ),
    ("many of them are counted", Waiter(unmet=tuple("abcde")), WaitReason.DEPENDENCIES, "a, b, c and 2 more"),
    ("no room", Waiter(limit=2), WaitReason.LIMIT, "2 steps may run at once"),
    ("nothing in the way", Waiter(), WaitReason.STARTING, "its Job is about to be created"),
    (
        "a quota on Jobs",
        Waiter(refused='jobs.batch "w2s-a" is forbidden: exceeded quota: jobs, requested: count/jobs.batch=1'),
        WaitReason.QUOTA,
        "the Job is refused: exceeded quota: jobs",
    ),
    (
        "the last Job still goes",
        waiter(a_job(KEY, "Failed", metadata__deletionTimestamp="2026-11-25T16:00:00Z")),
        WaitReason.STARTING,
        "is being deleted",
    ),
    ("complete, result not read", waiter(a_job(KEY, "Complete")), WaitReason.RESULT, "is complete"),
    ("a queue that has said nothing", waiter(HELD), WaitReason.QUEUE, "queue team has not admitted Job w2s-sample-"),
    (
        "a queue in its own words",
        waiter(HELD, workload=workload("QuotaReserved", "False", "insufficient unused quota for nvidia.com/gpu")),
        WaitReason.QUEUE,
        "insufficient unused quota for nvidia.com/gpu",
    ),
    (
        "a queue that took the admission back",
        waiter(HELD, workload=workload("Evicted", "True", "Preempted to accommodate a workload")),
        WaitReason.QUEUE,
        "Preempted to accommodate",
    ),
    (
        "suspended by hand",
        waiter(a_job(KEY, "Suspended", spec__suspend=True)),
        WaitReason.QUEUE,
        "kubectl patch job w2s-sample-",
    ),
    ("no pod yet", waiter(PLAIN), WaitReason.STARTING, "kubectl describe job w2s-sample-"),
    (
        "an image that is not there",
        waiter(PLAIN, waiting_pod(PLAIN, "ErrImagePull", 'failed to pull image "w2s:9": not found')),
        WaitReason.IMAGE,
        'ErrImagePull: failed to pull image "w2s:9": not found',
    ),
    (
        "an image that is tried again",
        waiter(PLAIN, waiting_pod(PLAIN, "ImagePullBackOff", 'Back-off pulling image "w2s:9"')),
        WaitReason.IMAGE,
        "ImagePullBackOff: Back-off",
    ),
    (
        "an image's name that is none",
        waiter(PLAIN, waiting_pod(PLAIN, "InvalidImageName")),
        WaitReason.IMAGE,
        "InvalidImageName: container worker",
    ),
    (
        "a Secret that is not there",
        waiter(PLAIN, waiting_pod(PLAIN, "CreateContainerConfigError", 'secret "store" not found')),
        WaitReason.CONFIGURATION,
        'secret "store" not found',
    ),
    (
        "containers in the making",
        waiter(PLAIN, waiting_pod(PLAIN, "ContainerCreating")),
        WaitReason.STARTING,
        "on node gpu-0; if it lasts: kubectl describe pod",
    ),
    (
        "no node fits",
        waiter(PLAIN, waiting_pod(PLAIN, unschedulable="0/2 nodes are available: 2 Insufficient nvidia.com/gpu.")),
        WaitReason.UNSCHEDULABLE,
        "0/2 nodes are available",
    ),
    (
        "a claim that is not there",
        waiter(PLAIN, waiting_pod(PLAIN, unschedulable='persistentvolumeclaim "cache" not found')),
        WaitReason.CONFIGURATION,
        'persistentvolumeclaim "cache" not found',
    ),
    (
        "a quota on pods",
        waiter(PLAIN, refusal=Refusal(QUOTA, "2026-11-25T15:00:09Z")),
        WaitReason.QUOTA,
        "exceeded quota: gpus",
    ),
    (
        "a rule on pods",
        waiter(PLAIN, refusal=Refusal('pods "x" is forbidden: violates PodSecurity "restricted:latest"', "")),
        WaitReason.POD_REFUSED,
        'violates PodSecurity "restricted:latest"',
    ),
    (
        "a pause after a failure",
        waiter(a_job(KEY, failed=1), a_pod(PLAIN, "Failed", 43, "bucket b: no answer")),
        WaitReason.BACKOFF,
        "attempt 1 ended with exit code 43: bucket b: no answer; the next one comes after a pause",
    ),
    (
        "the next attempt's pod waits for a node",
        waiter(a_job(KEY, failed=1), a_pod(PLAIN, "Failed", 43), waiting_pod(PLAIN, unschedulable="0/2 nodes")),
        WaitReason.UNSCHEDULABLE,
        "0/2 nodes",
    ),
    (
        "a pod that was evicted and still ends",
        waiter(PLAIN, a_pod(PLAIN, deletionTimestamp="2026-11-25T16:00:00Z")),
        WaitReason.STARTING,
        "1 pod told to go",
    ),
    (
        "a refusal that a later pod has overcome",
        waiter(
            a_job(KEY, failed=1),
            a_pod(PLAIN, "Failed", 1, creationTimestamp="2026-11-25T15:30:00Z"),
            refusal=Refusal(QUOTA, "2026-11-25T15:00:09Z"),
        ),
        WaitReason.BACKOFF,
        "attempt 1 ended with exit code 1",
    ),
]


@pytest.mark.parametrize(("why", "given", "reason", "words"), TABLE, ids=[row[0] for row in TABLE])
def test_a_step_says_why_it_waits(why, given, reason, words) -> None:
    wait = explain(given)
    assert wait.reason is reason, f"{why}: {wait}"
    assert words in wait.message, f"{why}: {wait}"


def test_every_wait_reason_is_told_by_some_row() -> None:
    assert {row[2] for row in TABLE} == set(WaitReason)


def test_of_several_pods_it_says_how_many_wait() -> None:
    job = a_job(KEY, kind="train", spec__parallelism=2, spec__completions=2)
    given = waiter(job, a_pod(job), waiting_pod(job, unschedulable="0/2 nodes are available"))
    assert explain(given).message == "1 of 2 pods: 0/2 nodes are available"


def test_a_message_is_cut_to_what_a_status_holds() -> None:
    given = waiter(PLAIN, waiting_pod(PLAIN, unschedulable="0/9999 nodes: " + "é" * 5000))
    assert len(explain(given).message.encode()) <= 1024


def test_equal_refusals_of_pods_with_other_names_read_the_same() -> None:
    messages = [QUOTA, QUOTA.replace("w2s-1", "w2s-2")]
    assert len({explain(waiter(PLAIN, refusal=Refusal(one, ""))).message for one in messages}) == 1


def test_the_newest_refusal_of_a_job_counts_and_other_events_are_passed_over() -> None:
    old, new = a_refusal(PLAIN, "old"), a_refusal(PLAIN, "new", "2026-11-25T15:01:00Z")
    other = {**new, "reason": "SuccessfulCreate", "lastTimestamp": "2026-11-25T15:02:00Z"}
    for events in ([old, new, other], [new, other, old]):
        assert refusals_by_job(events)[PLAIN["metadata"]["uid"]].message == "Error creating: new"


@pytest.mark.parametrize(
    ("name", "reason", "words"),
    [
        ("unsched", WaitReason.UNSCHEDULABLE, "0/2 nodes are available: 2 Insufficient nvidia.com/gpu"),
        ("taint", WaitReason.UNSCHEDULABLE, "untolerated taint"),
        ("selector", WaitReason.UNSCHEDULABLE, "didn't match Pod's node affinity/selector"),
        ("pvc", WaitReason.CONFIGURATION, 'persistentvolumeclaim "absent" not found'),
        ("quota", WaitReason.QUOTA, "exceeded quota: gpus, requested: requests.nvidia.com/gpu=8"),
        ("nosa", WaitReason.CONFIGURATION, 'serviceaccount "workers" not found'),
        ("noprio", WaitReason.CONFIGURATION, "no PriorityClass with name nope was found"),
        ("psa", WaitReason.POD_REFUSED, 'violates PodSecurity "restricted:latest"'),
        ("suspended", WaitReason.QUEUE, "somebody suspended Job suspended"),
        ("backoff", WaitReason.BACKOFF, "ended with exit code 1; the next one"),
    ],
)
def test_recorded_objects_say_why_they_wait_whole_or_as_kept(name, reason, words) -> None:
    objects = json.loads(RECORDED.read_text())
    job = recorded("jobs", name)
    uid = job["metadata"]["uid"]
    pods = pods_by_job(objects["pods"]).get(uid, [])
    whole = Waiter(job=read_job(KEY, job, pods), pods=pods, refusal=refusals_by_job(objects["events"]).get(uid))
    assert explain(whole).reason is reason
    assert words in explain(whole).message
    kept_pods = [project_pod(pod) for pod in pods]
    kept = Waiter(
        job=read_job(KEY, project_job(job), kept_pods),
        pods=kept_pods,
        refusal=refusals_by_job(map(project_event, objects["events"])).get(uid),
    )
    assert explain(kept) == explain(whole)


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_what_is_kept_of_pods_and_workloads_says_the_same(row) -> None:
    given = row[1]
    kept = replace(
        given,
        pods=[project_pod(pod) for pod in given.pods],
        workload=project_workload(given.workload) if given.workload else None,
    )
    assert explain(kept) == explain(given)


def test_an_event_of_something_else_is_no_refusal() -> None:
    assert read_refusal({**a_refusal(PLAIN, "x"), "involvedObject": {"kind": "Pod", "uid": "1"}}) is None
