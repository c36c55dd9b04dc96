"""Which experiments a change of a Job or pod wakes. Only economy: a pass that is not needed changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from controller.api.labels import KIND
from controller.plan.standing.pods import has_succeeded

__all__ = ["experiments_of_job", "jobs_moved", "pod_succeeded", "pods_moved"]

Object = Mapping[str, Any]


def experiments_of_job(job: Object) -> Iterator[tuple[str, str]]:
    """Yield namespace and name of the experiments that own a Job."""
    for owner in job["metadata"].get("ownerReferences") or ():
        if owner["kind"] == KIND:
            yield job["metadata"]["namespace"], owner["name"]


def jobs_moved(old: Object | None, new: Object | None) -> bool:
    """Tell whether a Job changed in anything but how its pods are counted on the way to an end."""
    if old is None or new is None:
        return True
    return _of_job(old) != _of_job(new)


def pods_moved(old: Object | None, new: Object | None) -> bool:
    """Tell whether a pod changed in anything that a status shows."""
    if old is None or new is None:
        return True
    return old["status"] != new["status"] or bool(old["metadata"].get("deletionTimestamp")) != bool(
        new["metadata"].get("deletionTimestamp")
    )


def pod_succeeded(old: Object | None, new: Object | None) -> bool:
    """Tell whether the work of a pod got done: its result is there, and what waits for it can start."""
    return new is not None and has_succeeded(new) and (old is None or not has_succeeded(old))


def _of_job(job: Object) -> tuple[Any, ...]:
    metadata, status = job["metadata"], job.get("status") or {}
    conditions = [(one["type"], one["status"]) for one in status.get("conditions") or ()]
    return (
        bool(metadata.get("deletionTimestamp")),
        metadata.get("ownerReferences"),
        job["spec"].get("suspend"),
        conditions,
        status.get("ready"),
        status.get("failed"),
    )
