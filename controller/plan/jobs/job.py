"""A step as a Job."""

from __future__ import annotations

from typing import Any

from controller.api.labels import QUEUE, SPEC
from controller.plan.graph import Step
from controller.plan.jobs.container import build_container
from controller.plan.jobs.context import JobContext
from controller.plan.jobs.failure_policy import build_failure_policy
from controller.plan.jobs.names import annotations_of, job_name, labels_of
from controller.plan.jobs.overlay import lay_over
from controller.plan.jobs.ownership import owner_reference
from controller.plan.jobs.scheduling import build_scheduling
from controller.plan.jobs.spec_annotation import render_spec
from controller.plan.jobs.volumes import build_volumes

__all__ = ["build_job"]

USER = 1000
"""uid and gid of the workers, and the group of what they mount"""


def build_job(step: Step, context: JobContext) -> dict[str, Any]:
    """Build the Job of a step, owned by the experiment that asks for it.

    It has no time to live: a failed Job is the memory of the failure, a complete one goes with its last owner.

    Raises
    ------
    InvalidExperiment
        The installation lacks the step's pool, the step's spec is too long, or (`OverlayRefused`) the experiment's pod
        template would break the contract with the worker.
    """
    labels, queue = labels_of(step), context.queue
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(step, context.store),
            "namespace": context.owner.namespace,
            "labels": {**labels, QUEUE: queue} if queue else labels,
            "annotations": annotations_of(step),
            "ownerReferences": [owner_reference(context.owner)],
        },
        "spec": {
            **_spread(step),
            **build_failure_policy(step, context.installation.workers.backoff_limit),
            # Kueue lets it go; from then on this field is Kueue's alone.
            **({"suspend": True} if queue else {}),
            "template": lay_over(_template(step, context), context),
        },
    }


def _spread(step: Step) -> dict[str, Any]:
    """Return how many pods a step has, and whether each has an index: its shard, or its node."""
    pods = max(step.shards, step.resources.nodes)
    mode = "Indexed" if pods > 1 else "NonIndexed"
    return {"completionMode": mode, "completions": pods, "parallelism": pods}


def _template(step: Step, context: JobContext) -> dict[str, Any]:
    workers = context.installation.workers
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": workers.grace_seconds,
        # Workers never speak to the API server; a web identity for the store comes as a volume of its own.
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        # The pause container is process 1: it collects orphans, and SIGTERM ends a worker that is still importing.
        "shareProcessNamespace": True,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **build_scheduling(step, context),
        "volumes": build_volumes(step, context),
        "containers": [build_container(step, context)],
    }
    if account := _account(context):
        pod["serviceAccountName"] = account
    if workers.image_pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in workers.image_pull_secrets]
    if step.resources.nodes > 1:
        pod["subdomain"] = job_name(step, context.store)
    annotations = {**annotations_of(step), SPEC: render_spec(step, context)}
    return {"metadata": {"labels": labels_of(step), "annotations": annotations}, "spec": pod}


def _account(context: JobContext) -> str | None:
    """Return the service account of the pods: the store may know one by its web identity, and then no other will do."""
    if own := context.store.credentials.service_account_name:
        return own
    common = context.installation.workers.service_account
    return common.name if common is not None and context.owner.namespace in common.namespaces else None
