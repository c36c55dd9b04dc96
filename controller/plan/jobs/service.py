"""The headless Service that gives the pods of a training on many nodes their names."""

from __future__ import annotations

from typing import Any

from controller.plan.graph import Step
from controller.plan.jobs.context import JobContext
from controller.plan.jobs.names import MEETING_PORT, annotations_of, job_name, labels_of, pods_of
from controller.plan.jobs.ownership import owner_reference

__all__ = ["build_service"]


def build_service(step: Step, context: JobContext) -> dict[str, Any] | None:
    """Build the Service of a step, or None where its pods need not find each other.

    Every experiment applies the whole of it: all of them say the same.
    """
    if step.resources.nodes == 1:
        return None
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": job_name(step, context.store),
            "namespace": context.owner.namespace,
            "labels": labels_of(step),
            "annotations": annotations_of(step),
            "ownerReferences": [owner_reference(context.owner)],
        },
        "spec": {
            "clusterIP": "None",
            # Nodes meet before any of them could be called ready.
            "publishNotReadyAddresses": True,
            "selector": pods_of(step, context.store),
            "ports": [{"name": "meeting", "port": MEETING_PORT, "protocol": "TCP", "targetPort": MEETING_PORT}],
        },
    }
