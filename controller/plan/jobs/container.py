"""The worker's container: its command, what it may use, and where it may write."""

from __future__ import annotations

from typing import Any

from controller.plan.graph import Step
from controller.plan.jobs.context import JobContext
from controller.plan.jobs.failure_policy import WORKER
from controller.plan.jobs.quantity import parse_bytes, render_bytes, whole_gibibytes
from controller.plan.jobs.volumes import (
    CREDENTIALS_FOLDER,
    MODELS,
    SCRATCH,
    SPEC_FILE,
    build_mounts,
    needs_shared_memory,
    scratch_of,
)
from w2s_jobs.contracts.spec_file import ATTEMPT

__all__ = ["build_container"]


def build_container(step: Step, context: JobContext) -> dict[str, Any]:
    """Build the only container of a step's pods."""
    workers = context.installation.workers
    container: dict[str, Any] = {
        "name": WORKER,
        "image": context.operations.image or workers.image,
        "imagePullPolicy": workers.image_pull_policy,
        "command": ["python", "-u", "-P", "-m", "w2s_jobs"],
        "args": [step.kind, "--spec", SPEC_FILE],
        "env": _env(context),
        "resources": _resources(step, context),
        "volumeMounts": build_mounts(step, context),
        # The last lines of the log are what a person reads in `kubectl describe`, and what the status quotes.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    if secret := context.store.credentials.secret_name:
        container["envFrom"] = [{"secretRef": {"name": secret}}]
    return container


def _env(context: JobContext) -> list[dict[str, Any]]:
    """Return the variables in the order of their names.

    The root file system is read-only: all that a library may want to write goes to scratch space, and what is worth
    keeping for the next pod to the cache of models. What can be said without a variable is: an API server pays for each
    of them at every write of the Job and its pod.
    """
    cache = MODELS if context.installation.workers.model_cache else f"{SCRATCH}/cache"
    values = {
        "HF_HOME": f"{cache}/huggingface",
        "HOME": SCRATCH,
        "TMPDIR": SCRATCH,
        "W2S_CACHE": f"{cache}/w2s",
    }
    if context.installation.workers.model_cache_size is not None:
        values["W2S_CACHE_BYTES"] = str(parse_bytes(context.installation.workers.model_cache_size))
    if context.store.credentials.secret_name:
        values["W2S_CREDENTIALS"] = CREDENTIALS_FOLDER
    named: list[dict[str, Any]] = [{"name": name, "value": value} for name, value in values.items()]
    named.append({"name": ATTEMPT, "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}})
    return sorted(named, key=lambda variable: str(variable["name"]))


def _resources(step: Step, context: JobContext) -> dict[str, Any]:
    """Return requests and limits; equal but for the CPU, where what others leave idle may be used."""
    pool, gpus = context.pool_of(step), step.resources.gpus
    if pool is not None and gpus:
        cpus = gpus * pool.cpus_per_gpu
    else:
        cpus = step.resources.threads * max(1, step.parallelism.ranks // step.resources.nodes)
    limits = {"ephemeral-storage": scratch_of(step, context), "memory": render_bytes(_memory(step, context, cpus))}
    if pool is not None and gpus:
        limits[pool.gpu_resource] = str(gpus)
    return {"limits": limits, "requests": {"cpu": str(max(cpus, step.resources.threads)), **limits}}


def _memory(step: Step, context: JobContext, cpus: int) -> int:
    """Return the bytes of a pod: on GPUs its share of the node, or what the placement says where that is more."""
    workers, pool, gpus = context.installation.workers, context.pool_of(step), step.resources.gpus
    program = parse_bytes(workers.memory)
    memory = cpus * program
    if pool is not None and gpus:
        needed = whole_gibibytes(step.resources.host_memory + gpus * program)
        memory = max(gpus * parse_bytes(pool.memory_per_gpu), needed)
    if needs_shared_memory(step):
        memory += parse_bytes(workers.shared_memory)  # what lies in /dev/shm is charged to the container
    return memory
