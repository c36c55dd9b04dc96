"""Jobs, pods and events as an API server gives them: recorded ones, and ones that say only what matters to a test.

`tests/golden/cluster/objects.json` was recorded by tests/cluster/test_standing.py (`UPDATE_GOLDEN=1`).
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from controller.api.labels import KEY, MANAGED_BY, MANAGER, QUEUE, STEP_KIND
from controller.plan.graph import Plan
from controller.plan.standing.projection import JOB_NAME, JOB_UID

__all__ = ["RECORDED", "UID", "a_job", "a_pod", "a_refusal", "keys", "recorded", "waiting_pod"]

RECORDED = Path(__file__).parents[1] / "golden" / "cluster" / "objects.json"
UID = "0b5a6a3e-experiment"
"""uid of the experiment that owns the Jobs"""
Object = dict[str, Any]


def recorded(kind: str, name: str) -> Object:
    """The recorded object (`jobs`, `pods` or `events`) whose name starts so; of an event, that of its Job."""
    for one in json.loads(RECORDED.read_text())[kind]:
        about = one["involvedObject"]["name"] if kind == "events" else one["metadata"]["name"]
        if about.startswith(name):
            return dict(one)
    raise AssertionError(f"no {kind} {name} was recorded")


def a_job(key: str, *conditions: str, kind: str = "sample", owner: str = UID, **changes: Any) -> Object:
    """A Job; `conditions` that are True, and changes of its status by name (`spec__suspend=True` of its spec)."""
    name = f"w2s-{kind}-{key[:16]}"
    job: Object = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"uid-{key[:8]}",
            "creationTimestamp": "2026-11-25T15:00:00Z",
            "labels": {MANAGED_BY: MANAGER, STEP_KIND: kind, KEY: key[:63]},
            "annotations": {KEY: key},
            "ownerReferences": [
                {"apiVersion": "w2s.dev/v1alpha1", "kind": "WeakToStrongExperiment", "name": "e", "uid": owner}
            ],
        },
        "spec": {"suspend": False, "parallelism": 1, "completions": 1, "backoffLimit": 3, "template": {}},
        "status": {"startTime": "2026-11-25T15:00:01Z", "ready": 0, "terminating": 0},
    }
    reasons = {"Complete": "CompletionsReached", "Failed": "BackoffLimitExceeded"}
    messages = {"Failed": "Job has reached the specified backoff limit"}
    if conditions:
        job["status"]["conditions"] = [
            {
                "type": one,
                "status": "True",
                "reason": reasons.get(one, one),
                "message": messages.get(one, ""),
                "lastTransitionTime": "2026-11-25T15:10:00Z",
            }
            for one in conditions
        ]
    if "Complete" in conditions:
        job["status"] |= {"succeeded": 1, "completionTime": "2026-11-25T15:10:00Z"}
    for path, value in changes.items():
        where, _, field = path.rpartition("__")
        place = job[where or "status"]
        if field == "queue":
            place["labels"][QUEUE] = value
        else:
            place[field] = value
    return job


def a_pod(
    job: Object, phase: str = "Running", exit_code: int | None = None, words: str = "", **metadata: Any
) -> Object:
    """A pod of a Job: it runs, or it ended with an exit code and last words."""
    number = metadata.pop("number", 0)
    status: Object = {"phase": phase, "startTime": "2026-11-25T15:00:02Z", "conditions": []}
    state: Object = {"running": {"startedAt": "2026-11-25T15:00:03Z"}}
    if exit_code is not None:
        state = {
            "terminated": {
                "exitCode": exit_code,
                "reason": metadata.pop("reason", "Error" if exit_code else "Completed"),
                "finishedAt": metadata.pop("finished", "2026-11-25T15:09:00Z"),
                "message": words,
            }
        }
    if metadata.pop("disrupted", False):
        status["conditions"].append({"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"})
    status["containerStatuses"] = [{"name": "worker", "image": "w2s", "state": state, "restartCount": 0}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{job['metadata']['name']}-{number}",
            "namespace": "default",
            "uid": f"pod-{job['metadata']['uid']}-{number}",
            "creationTimestamp": "2026-11-25T15:00:01Z",
            "labels": {JOB_NAME: job["metadata"]["name"], JOB_UID: job["metadata"]["uid"]},
            **metadata,
        },
        "spec": {"nodeName": "gpu-0", "containers": [{"name": "worker"}]},
        "status": status,
    }


def waiting_pod(job: Object, reason: str | None = None, message: str = "", unschedulable: str | None = None) -> Object:
    """A pod whose container waits for something, or that no node takes; shapes as the kubelet and scheduler write."""
    pod = a_pod(job, "Pending")
    pod["status"]["containerStatuses"] = []
    if unschedulable is not None:
        pod["status"]["conditions"] = [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": unschedulable}
        ]
        del pod["spec"]["nodeName"]
    elif reason is not None:
        waiting = {"reason": reason, **({"message": message} if message else {})}
        pod["status"]["containerStatuses"] = [{"name": "worker", "state": {"waiting": waiting}, "restartCount": 0}]
    return copy.deepcopy(pod)


def a_refusal(job: Object, message: str, when: str = "2026-11-25T15:00:05Z") -> Object:
    """The Event by which the Job controller says that it cannot create a pod."""
    metadata = job["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.1", "namespace": "default", "uid": "e1"},
        "involvedObject": {"kind": "Job", "namespace": "default", "name": metadata["name"], "uid": metadata["uid"]},
        "reason": "FailedCreate",
        "message": f"Error creating: {message}",
        "type": "Warning",
        "lastTimestamp": when,
        "count": 1,
    }


def keys(plan: Plan, *names: str) -> list[str]:
    """The keys of steps by their names."""
    by_name = {step.name: step.key for step in plan.steps}
    return [by_name[name] for name in names]
