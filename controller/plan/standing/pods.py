"""What single pods say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from controller.plan.standing.words import LONGEST_WORDS, clip_end

__all__ = ["active", "condition", "containers", "has_succeeded", "last_failure", "leaving", "running"]

Pod = Mapping[str, Any]
_PLAIN = frozenset({"Error", "Completed", ""})
"""Reasons of an ended container that say nothing beyond its exit code"""


def active(pods: Iterable[Pod]) -> list[Pod]:
    """List the pods that run or will, by name: not ended, and not told to go."""
    kept = [
        pod for pod in pods if _phase(pod) in ("Pending", "Running") and not pod["metadata"].get("deletionTimestamp")
    ]
    return sorted(kept, key=lambda pod: str(pod["metadata"]["name"]))


def leaving(pods: Iterable[Pod]) -> list[Pod]:
    """List the pods that were told to go and have not ended."""
    return [pod for pod in pods if _phase(pod) in ("Pending", "Running") and pod["metadata"].get("deletionTimestamp")]


def running(pods: Iterable[Pod]) -> int:
    """Count the pods whose containers run."""
    return sum(_phase(pod) == "Running" for pod in active(pods))


def has_succeeded(pod: Pod) -> bool:
    """Tell whether a pod's work is done."""
    return _phase(pod) == "Succeeded"


def condition(pod: Pod, kind: str) -> Mapping[str, Any]:
    """Return a pod's condition of a type, or an empty mapping."""
    for one in (pod.get("status") or {}).get("conditions") or ():
        if one["type"] == kind:
            return dict(one)
    return {}


def containers(pod: Pod) -> Iterator[Mapping[str, Any]]:
    """Yield the states of a pod's containers with their names, those that prepare first."""
    status = pod.get("status") or {}
    yield from status.get("initContainerStatuses") or ()
    yield from status.get("containerStatuses") or ()


def last_failure(pods: Sequence[Pod], exit_code: int | None = None) -> tuple[int | None, str]:
    """Return exit code and last words of the pod that failed last; None and no words where none did.

    A pod that was evicted, preempted or lost with its node failed through no fault of the step; it is passed over. When
    a Job gives up, its other pods are told to stop and end after the one that made it: where the exit code of that one
    is known, pods that ended with it come first.
    """
    failed = [
        (end[1] == exit_code, *end, str(pod["metadata"]["name"]))
        for pod in pods
        if _phase(pod) == "Failed" and condition(pod, "DisruptionTarget").get("status") != "True" and (end := _end(pod))
    ]
    if not failed:
        return None, ""
    _, _, code, words, _ = max(failed, key=lambda one: (one[0], one[1], one[4]))
    return code, words


def _end(pod: Pod) -> tuple[str, int | None, str]:
    """Return when a failed pod ended, with which exit code, and why: the kubelet's words where it ended the pod.

    A pod that used more disk than it may is evicted, and no disruption for all that: it is charged.
    """
    status = pod.get("status") or {}
    kubelet = f"{status.get('reason') or ''}: {status.get('message') or ''}".strip(": ")
    for container in containers(pod):
        ended = (container.get("state") or {}).get("terminated")
        if ended and ended.get("exitCode"):
            reason = ended.get("reason") or ""
            said = clip_end(ended.get("message") or "", LONGEST_WORDS)
            words = said if reason in _PLAIN else f"{reason}: {said}".rstrip(": ")
            words = clip_end(kubelet, LONGEST_WORDS) or words
            return ended.get("finishedAt") or "", ended["exitCode"], words
    return status.get("startTime") or "", None, clip_end(kubelet, LONGEST_WORDS)


def _phase(pod: Pod) -> str:
    return str((pod.get("status") or {}).get("phase", ""))
