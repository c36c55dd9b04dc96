"""Why a step that could run does not: one function a reason, asked in order; the first that knows answers.

The order is that of a step's way: steps before it, room, its Job, the queue, its pods, their node, their containers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.api.reasons import WaitReason
from controller.plan.standing.observe import JobPhase, JobState
from controller.plan.standing.pods import active, condition, containers, leaving
from controller.plan.standing.refusals import Refusal, refusal_reason, refused_words
from controller.plan.standing.words import clip, count, listed

__all__ = ["CHAIN", "Wait", "Waiter", "explain"]

_IMAGE = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
_CONFIGURATION = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})


@dataclass(frozen=True)
class Wait:
    """Why a step waits."""

    reason: WaitReason
    message: str = ""


@dataclass(frozen=True)
class Waiter:
    """What is known of a step that does not run."""

    job: JobState | None = None
    pods: Sequence[Mapping[str, Any]] = ()
    """pods of the Job"""
    workload: Mapping[str, Any] | None = None
    """Workload that Kueue made for the Job"""
    refusal: Refusal | None = None
    """what the Job controller was told when it created a pod last"""
    refused: str | None = None
    """what the controller was told when it created the Job"""
    unmet: Sequence[str] = ()
    """names of the steps before it that are not done"""
    limit: int | None = None
    """spec.maxParallelSteps where so many others run"""
    quota: str | None = None
    """what a quota says that another Job of the experiment waits for"""


def explain(waiter: Waiter) -> Wait:
    """Say why a step waits."""
    for link in CHAIN:
        if wait := link(waiter):
            return Wait(wait.reason, clip(wait.message))
    return _starting(waiter)


def _dependencies(waiter: Waiter) -> Wait | None:
    """Steps before it are not done."""
    if not waiter.unmet or waiter.job is not None:
        return None
    return Wait(WaitReason.DEPENDENCIES, f"waits for {listed(waiter.unmet)}")


def _earlier_job(waiter: Waiter) -> Wait | None:
    """Its Job was told to go; the name is free once the Job is gone."""
    if waiter.job is None or waiter.job.phase is not JobPhase.DELETING:
        return None
    return Wait(WaitReason.STARTING, f"Job {waiter.job.name} is being deleted; the next one is created once it is gone")


def _result(waiter: Waiter) -> Wait | None:
    """Its Job is Complete; whether the result is there is not known yet."""
    if waiter.job is None or waiter.job.phase is not JobPhase.COMPLETE:
        return None
    return Wait(WaitReason.RESULT, f"Job {waiter.job.name} is complete; its result is being read from the store")


def _refused_job(waiter: Waiter) -> Wait | None:
    """The API server refused the Job itself: a quota on count/jobs.batch, or a rule."""
    if waiter.job is not None or waiter.refused is None:
        return None
    return Wait(refusal_reason(waiter.refused), f"the Job is refused: {refused_words(waiter.refused)}")


def _limit(waiter: Waiter) -> Wait | None:
    """As many steps run as the experiment allows."""
    if waiter.job is not None or waiter.limit is None:
        return None
    return Wait(WaitReason.LIMIT, f"{count(waiter.limit, 'step')} may run at once (spec.maxParallelSteps)")


def _quota(waiter: Waiter) -> Wait | None:
    """A quota is full: one Job of the experiment asks for room, the next follows once that has its pods."""
    if waiter.job is not None or waiter.quota is None:
        return None
    return Wait(WaitReason.QUOTA, f"another step of this experiment waits for room first: {waiter.quota}")


def _no_job(waiter: Waiter) -> Wait | None:
    """Nothing is in the way: its Job comes next."""
    return Wait(WaitReason.STARTING, "its Job is about to be created") if waiter.job is None else None


def _queue(waiter: Waiter) -> Wait | None:
    """The Job is suspended: Kueue has not admitted it, or has taken the admission back."""
    job = waiter.job
    if job is None or job.phase is not JobPhase.SUSPENDED:
        return None
    if words := _workload_words(waiter.workload):
        return Wait(WaitReason.QUEUE, words)
    if job.queue:
        return Wait(WaitReason.QUEUE, f"queue {job.queue} has not admitted Job {job.name}")
    resume = f'kubectl patch job {job.name} --type merge -p \'{{"spec":{{"suspend":false}}}}\''
    return Wait(WaitReason.QUEUE, f"somebody suspended Job {job.name}, and it is in no queue; to go on: {resume}")


def _image(waiter: Waiter) -> Wait | None:
    """The kubelet cannot pull an image."""
    return _container_waits(waiter, WaitReason.IMAGE, _IMAGE)


def _configuration(waiter: Waiter) -> Wait | None:
    """A container names a Secret or ConfigMap that is not there, or cannot be made as the pod says."""
    return _container_waits(waiter, WaitReason.CONFIGURATION, _CONFIGURATION)


def _unschedulable(waiter: Waiter) -> Wait | None:
    """The scheduler finds no node; a claim that does not exist is told in its words too."""
    found = []
    for pod in active(waiter.pods):
        scheduled = condition(pod, "PodScheduled")
        if scheduled.get("status") == "False":
            found.append((scheduled.get("reason"), str(scheduled.get("message") or "")))
    if not found:
        return None
    state, words = found[0]
    if state == "SchedulingGated":
        return Wait(WaitReason.QUEUE, words)
    reason = WaitReason.CONFIGURATION if "persistentvolumeclaim" in words else WaitReason.UNSCHEDULABLE
    return Wait(reason, _of_pods(waiter, len(found)) + words)


def _refused_pod(waiter: Waiter) -> Wait | None:
    """The API server refuses pods: quota, a service account or priority class that is missing, a rule.

    What was said before the newest pod came to be is no longer so.
    """
    if waiter.refusal is None or (waiter.job is not None and len(active(waiter.pods)) >= waiter.job.wanted):
        return None
    newest = max((str(pod["metadata"].get("creationTimestamp") or "") for pod in waiter.pods), default="")
    if newest > waiter.refusal.when:
        return None
    return Wait(refusal_reason(waiter.refusal.message), refused_words(waiter.refusal.message))


def _leaving(waiter: Waiter) -> Wait | None:
    """A pod was told to go (evicted, preempted, deleted); the Job controller replaces it once it has ended."""
    gone = leaving(waiter.pods)
    if not gone or active(waiter.pods):
        return None
    return Wait(WaitReason.STARTING, f"{count(len(gone), 'pod')} told to go; a new one follows once it has ended")


def _backoff(waiter: Waiter) -> Wait | None:
    """An attempt failed; the Job controller pauses before the next one (10 s, doubled each time)."""
    job = waiter.job
    if job is None or job.attempts < 2 or active(waiter.pods):
        return None
    code = "" if job.exit_code is None else f" with exit code {job.exit_code}"
    said = f": {job.message}" if job.message else ""
    return Wait(WaitReason.BACKOFF, f"attempt {job.attempts - 1} ended{code}{said}; the next one comes after a pause")


def _starting(waiter: Waiter) -> Wait:
    """The pods or their containers are being created."""
    name = waiter.job.name if waiter.job else ""
    pods = active(waiter.pods)
    if not pods:
        return Wait(WaitReason.STARTING, f"pods are being created; if none comes: kubectl describe job {name}")
    node = (pods[0].get("spec") or {}).get("nodeName")
    where = f" on node {node}" if node else ""
    return Wait(
        WaitReason.STARTING,
        f"containers are being created{where}; if it lasts: kubectl describe pod {pods[0]['metadata']['name']}",
    )


CHAIN: tuple[Callable[[Waiter], Wait | None], ...] = (
    _dependencies,
    _earlier_job,
    _result,
    _refused_job,
    _limit,
    _quota,
    _no_job,
    _queue,
    _image,
    _configuration,
    _unschedulable,
    _refused_pod,
    _leaving,
    _backoff,
)
"""The questions in their order; where all know nothing, the step is starting"""


def _container_waits(waiter: Waiter, reason: WaitReason, states: frozenset[str]) -> Wait | None:
    found = []
    for pod in active(waiter.pods):
        for container in containers(pod):
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") in states:
                found.append(f"{waiting['reason']}: {waiting.get('message') or 'container ' + str(container['name'])}")
                break
    return Wait(reason, _of_pods(waiter, len(found)) + found[0]) if found else None


def _of_pods(waiter: Waiter, found: int) -> str:
    wanted = waiter.job.wanted if waiter.job else 1
    return "" if wanted == 1 else f"{found} of {wanted} pods: "


def _workload_words(workload: Mapping[str, Any] | None) -> str:
    """Return what Kueue says of a Workload that it does not admit."""
    conditions = {one["type"]: one for one in ((workload or {}).get("status") or {}).get("conditions") or ()}
    for kind, status in (("QuotaReserved", "False"), ("Admitted", "False"), ("Evicted", "True")):
        one = conditions.get(kind) or {}
        if one.get("status") == status and one.get("message"):
            return str(one["message"])
    return ""
