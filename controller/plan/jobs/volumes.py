"""The volumes of a step's pods: the spec, credentials, scratch space, the cache of models, shared memory."""

from __future__ import annotations

import copy
from typing import Any

from controller.api.labels import SPEC
from controller.plan.graph import Step
from controller.plan.jobs.context import JobContext
from controller.plan.jobs.quantity import parse_bytes, render_bytes, whole_gibibytes

__all__ = [
    "CREDENTIALS_FOLDER",
    "MODELS",
    "MOUNT_PATHS",
    "SCRATCH",
    "SHARED_MEMORY",
    "SPEC_FILE",
    "SPEC_FOLDER",
    "VOLUMES",
    "build_mounts",
    "build_volumes",
    "needs_shared_memory",
    "scratch_of",
]

SCRATCH = "/work"
MODELS = "/models"
SHARED_MEMORY = "/dev/shm"  # noqa: S108  the place that PyTorch, NCCL and vLLM know
SPEC_FOLDER = "/etc/w2s"
SPEC_FILE = f"{SPEC_FOLDER}/spec.json"
CREDENTIALS_FOLDER = "/etc/w2s-credentials"

MOUNT_PATHS = (SHARED_MEMORY, SPEC_FOLDER, CREDENTIALS_FOLDER, MODELS, SCRATCH)
VOLUMES = ("credentials", "models", "shared-memory", "spec", "work")


def needs_shared_memory(step: Step) -> bool:
    """Tell whether more than one process may compute in a pod; the runtime's own /dev/shm holds 64 MB."""
    return step.resources.gpus > 0 or step.parallelism.ranks > step.resources.nodes


def scratch_of(step: Step, context: JobContext) -> str:
    """Return the size of a pod's scratch space: what every step gets, and what the placement says of its models."""
    common = context.installation.workers.scratch
    if not step.resources.disk:
        return common
    return render_bytes(whole_gibibytes(parse_bytes(common) + step.resources.disk))


def build_volumes(step: Step, context: JobContext) -> list[dict[str, Any]]:
    """Build the volumes in the order of their names."""
    workers = context.installation.workers
    spec = {"path": "spec.json", "fieldRef": {"fieldPath": f"metadata.annotations['{SPEC}']"}}
    volumes: list[dict[str, Any]] = [
        {"name": "spec", "downwardAPI": {"items": [spec]}},
        {"name": "work", "emptyDir": {"sizeLimit": scratch_of(step, context)}},
    ]
    if secret := context.store.credentials.secret_name:
        # Files follow the Secret when its keys are rotated; the variables of a running process do not. That it is
        # missing is said by envFrom (CreateContainerConfigError), where the status reads it.
        volumes.append({"name": "credentials", "secret": {"secretName": secret, "optional": True}})
    if workers.model_cache:
        volumes.append({"name": "models", **copy.deepcopy(workers.model_cache)})
    if needs_shared_memory(step):
        volumes.append({"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": workers.shared_memory}})
    return sorted(volumes, key=lambda volume: str(volume["name"]))


def build_mounts(step: Step, context: JobContext) -> list[dict[str, Any]]:
    """Build the places where the worker finds them."""
    mounts: list[dict[str, Any]] = [
        {"name": "spec", "mountPath": SPEC_FOLDER, "readOnly": True},
        {"name": "work", "mountPath": SCRATCH},
    ]
    if context.store.credentials.secret_name:
        mounts.append({"name": "credentials", "mountPath": CREDENTIALS_FOLDER, "readOnly": True})
    if context.installation.workers.model_cache:
        mounts.append({"name": "models", "mountPath": MODELS})
    if needs_shared_memory(step):
        mounts.append({"name": "shared-memory", "mountPath": SHARED_MEMORY})
    return sorted(mounts, key=lambda mount: str(mount["name"]))
