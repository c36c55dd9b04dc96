"""Names and labels of a step's objects: functions of the step and its store, so whoever asks finds the same Job."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from controller.api.labels import JOB_NAME, KEY, MANAGED_BY, MANAGER, STEP_KIND, STEP_NAME
from controller.plan.graph import Step
from controller.plan.jobs.context import Owner
from controller.settings import Store

__all__ = ["annotations_of", "field_manager", "job_name", "labels_of", "meeting_point", "pods_of"]

MEETING_PORT = 29400
"""Port where the nodes of a training meet (w2s_jobs.engines.gang)"""
_MAX_LABEL = 63


def job_name(step: Step, store: Store) -> str:
    """Name the step's Job, and the Service of a training on many nodes.

    A Job writes to one store, so the same step for two stores is two Jobs. The longest name, of kind `partition`, has
    39 characters: room for the `-<index>` of a pod's host name.
    """
    settings = store.settings
    return f"w2s-{step.kind}-{step.key[:16]}-{_digest_of_place(settings.uri.rstrip('/'), settings.endpoint)}"


def field_manager(owner: Owner) -> str:
    """Name the field manager under which an experiment writes what it shares with others."""
    return f"w2s-{owner.uid}"


def labels_of(step: Step) -> dict[str, str]:
    """Return the labels by which the step's objects are selected."""
    return {MANAGED_BY: MANAGER, KEY: step.key[:_MAX_LABEL], STEP_KIND: step.kind}


def pods_of(step: Step, store: Store) -> dict[str, str]:
    """Return the label of the pods of this Job and no other; the Job controller sets it."""
    return {JOB_NAME: job_name(step, store)}


def annotations_of(step: Step) -> dict[str, str]:
    """Return what does not fit into labels: the whole key and the step's name for people."""
    return {KEY: step.key, STEP_NAME: step.name}


def meeting_point(step: Step, store: Store) -> str | None:
    """Return host and port of the first pod of a training on many nodes, by a name that outlives the pod."""
    if step.resources.nodes == 1:
        return None
    name = job_name(step, store)
    return f"{name}-0.{name}:{MEETING_PORT}"


@lru_cache(maxsize=64)
def _digest_of_place(uri: str, endpoint: str | None) -> str:
    return hashlib.sha256(f"{uri} {endpoint or ''}".encode()).hexdigest()[:8]
