"""What a Lease says, and when it has run out for somebody who watches it. Pure: the clock comes in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from controller.kube.resource import LEASES

__all__ = ["LeaseRecord", "Sighting", "Timing"]

Object = dict[str, Any]


@dataclass(frozen=True)
class Timing:
    """Seconds of a leader election.

    A leader that renewed for the last time stops to write `renew_deadline` after it *began* that renewal; nobody
    takes over before `lease_seconds` after they *saw* it. So two never write at once while no clock runs faster than
    another by the ratio of the two, 1.5. No clock's time of day matters.
    """

    lease_seconds: int = 15
    """without a renewal for so long, others may take over"""
    renew_deadline: float = 10.0
    """without a renewal for so long, the leader gives up"""
    retry_seconds: float = 2.0
    """time between two attempts to take or renew it"""

    def __post_init__(self) -> None:
        if not 0 < self.retry_seconds < self.renew_deadline < self.lease_seconds:
            raise ValueError(f"{self}: expected 0 < retry_seconds < renew_deadline < lease_seconds")


@dataclass(frozen=True)
class LeaseRecord:
    """The part of a Lease that an election uses. Times of day are for people only."""

    holder: str
    """identity of the leader; empty when it was released"""
    lease_seconds: int
    transitions: int
    """how often it passed from one holder to another"""
    acquired: str
    renewed: str
    resource_version: str
    """of the object read, so that a change by somebody else in between is refused"""

    @classmethod
    def of(cls, lease: Object) -> LeaseRecord:
        """Read a Lease; what is missing counts as released."""
        spec = lease.get("spec") or {}
        return cls(
            holder=spec.get("holderIdentity") or "",
            lease_seconds=int(spec.get("leaseDurationSeconds") or 1),
            transitions=int(spec.get("leaseTransitions") or 0),
            acquired=spec.get("acquireTime") or "",
            renewed=spec.get("renewTime") or "",
            resource_version=lease["metadata"]["resourceVersion"],
        )

    @classmethod
    def new(cls, identity: str, lease_seconds: int, now: datetime) -> LeaseRecord:
        """The first Lease of this name."""
        return cls(identity, lease_seconds, 0, _stamp(now), _stamp(now), "")

    def held_by(self, identity: str, lease_seconds: int, now: datetime) -> LeaseRecord:
        """Renewed by its holder, or taken over, which counts as a transition."""
        mine = self.holder == identity
        return replace(
            self,
            holder=identity,
            lease_seconds=lease_seconds,
            transitions=self.transitions + (not mine),
            acquired=self.acquired if mine else _stamp(now),
            renewed=_stamp(now),
        )

    def released(self, now: datetime) -> LeaseRecord:
        """Given up, so that the next takes it at once."""
        return replace(self, holder="", lease_seconds=1, renewed=_stamp(now))

    def to_object(self, namespace: str, name: str) -> Object:
        """The Lease as the API has it."""
        version = {"resourceVersion": self.resource_version} if self.resource_version else {}
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"namespace": namespace, "name": name, **version},
            "spec": {
                "holderIdentity": self.holder,
                "leaseDurationSeconds": self.lease_seconds,
                "leaseTransitions": self.transitions,
                "acquireTime": self.acquired,
                "renewTime": self.renewed,
            },
        }


class Sighting:
    """When a record was seen for the first time, by the watcher's own clock."""

    def __init__(self) -> None:
        self._seen: tuple[str, str, int] | None = None
        self._at = 0.0

    def is_free(self, record: LeaseRecord, now: float) -> bool:
        """Take note of `record`; say whether it was released or has not been renewed for its whole time."""
        what = (record.holder, record.renewed, record.transitions)
        if what != self._seen:
            self._seen, self._at = what, now
        return not record.holder or now - self._at >= record.lease_seconds


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
