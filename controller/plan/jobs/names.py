"""Names and labels of a step's objects. They are functions of the step alone, so whoever asks finds the same Job."""

from __future__ import annotations

from controller.api.labels import KEY, MANAGED_BY, MANAGER, STEP_KIND, STEP_NAME
from controller.plan.graph import Step
from controller.plan.jobs.context import Owner

__all__ = ["annotations_of", "field_manager", "job_name", "labels_of", "meeting_point"]

MEETING_PORT = 29400
"""Port where the nodes of a training meet (w2s_jobs.engines.gang)"""
_MAX_LABEL = 63


def job_name(step: Step) -> str:
    """Name the step's Job, and the Service of a training on many nodes.

    The longest, of kind `partition`, has 30 characters: room for the `-<index>` of a pod's host name.
    """
    return f"w2s-{step.kind}-{step.key[:16]}"


def field_manager(owner: Owner) -> str:
    """Name the field manager under which an experiment writes what it shares with others."""
    return f"w2s-{owner.uid}"


def labels_of(step: Step) -> dict[str, str]:
    """Return the labels by which the step's objects are selected."""
    return {MANAGED_BY: MANAGER, KEY: step.key[:_MAX_LABEL], STEP_KIND: step.kind}


def annotations_of(step: Step) -> dict[str, str]:
    """Return what does not fit into labels: the whole key and the step's name for people."""
    return {KEY: step.key, STEP_NAME: step.name}


def meeting_point(step: Step) -> str | None:
    """Return host and port of the first pod of a training on many nodes, by a name that outlives the pod."""
    if step.resources.nodes == 1:
        return None
    name = job_name(step)
    return f"{name}-0.{name}:{MEETING_PORT}"
