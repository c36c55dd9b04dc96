"""Pods and Jobs that the API server refuses. A Job tells nothing of it in its status: its Events do (FailedCreate)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from controller.api.reasons import WaitReason

__all__ = ["FAILED_CREATE", "Refusal", "read_refusal", "refusal_reason", "refusals_by_job", "refused_words"]

FAILED_CREATE = "FailedCreate"
"""Reason of the Job controller's Event"""

# The Job controller names a pod that never came to be, another one each time: without it, equal refusals are equal.
_WHAT = re.compile(r'^.*?(pods|jobs\.batch) "[^"]*" is forbidden: ')
_MISSING = ("error looking up service account", "no PriorityClass with name", "RuntimeClass")


@dataclass(frozen=True)
class Refusal:
    """What the API server said last when the Job controller tried to create a pod."""

    message: str
    when: str
    """RFC 3339"""


def read_refusal(event: Mapping[str, Any]) -> tuple[str, Refusal] | None:
    """Return the uid of the Job and what was said, or None of another kind of event."""
    about = event.get("involvedObject") or {}
    if event.get("reason") != FAILED_CREATE or about.get("kind") != "Job" or not about.get("uid"):
        return None
    when = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or ""
    return about["uid"], Refusal(str(event.get("message") or ""), str(when))


def refusals_by_job(events: Iterable[Mapping[str, Any]]) -> dict[str, Refusal]:
    """Keep the newest refusal of each Job, by its uid."""
    found: dict[str, Refusal] = {}
    for uid, refusal in filter(None, map(read_refusal, events)):
        known = found.get(uid)
        if known is None or (refusal.when, refusal.message) > (known.when, known.message):
            found[uid] = refusal
    return found


def refused_words(message: str) -> str:
    """Return the API server's words without the name of what was refused, which is another one at each try."""
    return _WHAT.sub("", message)


def refusal_reason(message: str) -> WaitReason:
    """Tell quota, something that is missing, and rules apart by the words of the admission plugins."""
    if "exceeded quota" in message or "failed quota" in message:
        return WaitReason.QUOTA
    if any(words in message for words in _MISSING) or "not found" in message:
        return WaitReason.CONFIGURATION
    return WaitReason.POD_REFUSED
