"""What is kept of the cluster's objects: the fields that this package and the controller read, and nothing else.

A Job of a large step is 100 kB, most of it the step's spec; what is left of it here is about 2 kB. Everything that
`observe` and `waiting` compute from a kept object equals what they compute from the whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from controller.api.labels import JOB_NAME, KEY, KIND, MANAGED_BY, QUEUE, STEP_KIND, STEP_NAME
from controller.plan.standing.words import LONGEST_WORDS, clip_end

__all__ = ["JOB_NAME", "JOB_UID", "project_event", "project_job", "project_pod", "project_workload"]

JOB_UID = "batch.kubernetes.io/controller-uid"
"""Label that the Job controller gives its pods: uid of the Job"""

_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp")
_LABELS = (MANAGED_BY, STEP_KIND, KEY, QUEUE, JOB_NAME, JOB_UID)
_ANNOTATIONS = (KEY, STEP_NAME)
_OWNER = ("kind", "name", "uid")
_JOB_SPEC = ("suspend", "parallelism", "completions", "backoffLimit")
_JOB_STATUS = ("active", "ready", "failed", "succeeded", "terminating", "startTime", "completionTime")
_POD_STATUS = ("phase", "reason", "message", "startTime")
_CONDITION = ("type", "status", "reason", "message", "lastTransitionTime")
_POD_CONDITIONS = frozenset({"PodScheduled", "DisruptionTarget"})
_OWNERS = frozenset({KIND, "Job"})

Object = Mapping[str, Any]


def project_job(job: Object) -> dict[str, Any]:
    """Keep of a Job who it is, whose it is, how many pods it wants and what became of them."""
    status = job.get("status") or {}
    return {
        "metadata": _metadata(job),
        "spec": _pick(job.get("spec"), _JOB_SPEC),
        "status": {**_pick(status, _JOB_STATUS), **_some("conditions", _conditions(status))},
    }


def project_pod(pod: Object) -> dict[str, Any]:
    """Keep of a pod whose it is, where it stands, and what its containers wait for or ended with."""
    status = pod.get("status") or {}
    spec = _pick(pod.get("spec"), ("nodeName",))
    return {
        "metadata": _metadata(pod),
        **({"spec": spec} if spec else {}),
        "status": {
            **_pick(status, _POD_STATUS),
            **_some("conditions", _conditions(status, lambda one: one.get("type") in _POD_CONDITIONS)),
            **_some("initContainerStatuses", _containers(status.get("initContainerStatuses"))),
            **_some("containerStatuses", _containers(status.get("containerStatuses"))),
        },
    }


def project_workload(workload: Object) -> dict[str, Any]:
    """Keep of a Workload of Kueue which Job it stands for, its queue, and its conditions."""
    return {
        "metadata": _metadata(workload),
        "spec": _pick(workload.get("spec"), ("queueName",)),
        "status": _some("conditions", _conditions(workload.get("status") or {})),
    }


def project_event(event: Object) -> dict[str, Any]:
    """Keep of an Event what it is about, what it says and when it was said last."""
    return {
        "metadata": _metadata(event),
        "involvedObject": _pick(event.get("involvedObject"), ("kind", "name", "namespace", "uid")),
        **_pick(event, ("reason", "message", "lastTimestamp", "eventTime")),
    }


def _metadata(obj: Object) -> dict[str, Any]:
    metadata = obj.get("metadata") or {}
    owners = [_pick(one, _OWNER) for one in metadata.get("ownerReferences") or () if one.get("kind") in _OWNERS]
    labels = _pick(metadata.get("labels"), _LABELS)
    annotations = _pick(metadata.get("annotations"), _ANNOTATIONS)
    return {
        **_pick(metadata, _METADATA),
        **({"labels": labels} if labels else {}),
        **({"annotations": annotations} if annotations else {}),
        **_some("ownerReferences", owners),
    }


def _conditions(status: Object, wanted: Callable[[Object], bool] = lambda _: True) -> list[dict[str, Any]]:
    return [_pick(one, _CONDITION) for one in status.get("conditions") or () if wanted(one)]


def _containers(statuses: Sequence[Object] | None) -> list[dict[str, Any]]:
    return [{"name": one.get("name"), "state": _state(one.get("state") or {})} for one in statuses or ()]


def _state(state: Object) -> dict[str, Any]:
    """Keep what a container waits for, or how it ended; of a running one, that it runs."""
    if waiting := state.get("waiting"):
        return {"waiting": _pick(waiting, ("reason", "message"))}
    if ended := state.get("terminated"):
        kept = _pick(ended, ("exitCode", "reason", "message", "finishedAt"))
        if "message" in kept:
            kept["message"] = clip_end(kept["message"], LONGEST_WORDS)
        return {"terminated": kept}
    return {"running": {}} if "running" in state else {}


def _pick(source: Object | None, names: Sequence[str]) -> dict[str, Any]:
    return {name: source[name] for name in names if source.get(name) is not None} if source else {}


def _some(name: str, values: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: values} if values else {}
