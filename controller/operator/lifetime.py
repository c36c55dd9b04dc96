"""When an experiment's time is over: its deadline while it runs, its time to live once it ended. Times are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from controller.api.reasons import Reason
from controller.plan.standing.conditions import Situation
from controller.plan.standing.scene import About, Scene

__all__ = [
    "is_outlived",
    "overdue",
    "read_time",
    "seconds_left",
    "seconds_to_deadline",
    "seconds_to_live",
    "soonest",
    "utc_now",
]


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def read_time(text: str) -> datetime:
    """Read a time as Kubernetes writes it (RFC 3339)."""
    return datetime.fromisoformat(text)


def write_time(time: datetime) -> str:
    """Write a time as Kubernetes writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def overdue(about: About, deadline_seconds: int | None, now: datetime) -> Situation | None:
    """Return the trouble of an experiment that took longer than its deadline, counted from its creation."""
    if deadline_seconds is None or now < read_time(about.created) + timedelta(seconds=deadline_seconds):
        return None
    return Situation(
        Reason.DEADLINE_EXCEEDED,
        f"not finished {deadline_seconds} s after its creation (spec.activeDeadlineSeconds); its steps are stopped and "
        "what they had saved is kept. Raise the deadline to go on",
    )


def seconds_to_deadline(about: About, scene: Scene, deadline_seconds: int | None, now: datetime) -> float | None:
    """Return the seconds until the deadline of an experiment that has not ended."""
    if deadline_seconds is None or scene.trouble is not None or scene.decision.finished or scene.decision.succeeded:
        return None
    return max(0.0, (read_time(about.created) + timedelta(seconds=deadline_seconds) - now).total_seconds())


def seconds_to_live(obj: Mapping[str, Any], now: datetime) -> float | None:
    """Return the seconds until an ended experiment is deleted (spec.ttlSecondsAfterFinished), None where it stays.

    A status of an earlier generation tells nothing: an edit may have made it go on.
    """
    status = obj.get("status") or {}
    current = status.get("observedGeneration") == obj["metadata"]["generation"]
    return seconds_left(obj, status.get("finished") if current else None, now)


def seconds_left(obj: Mapping[str, Any], finished: str | None, now: datetime) -> float | None:
    """Return the same for an experiment that ended at `finished` (RFC 3339), or None where it has not ended."""
    ttl = obj["spec"].get("ttlSecondsAfterFinished")
    if ttl is None or finished is None:
        return None
    return (read_time(finished) + timedelta(seconds=ttl) - now).total_seconds()


def is_outlived(obj: Mapping[str, Any], now: datetime) -> bool:
    """Tell whether an ended experiment's time to live is over."""
    left = seconds_to_live(obj, now)
    return left is not None and left <= 0


def soonest(*seconds: float | None) -> float | None:
    """Return the least of these waits; None where there is none."""
    return min((wait for wait in seconds if wait is not None), default=None)
