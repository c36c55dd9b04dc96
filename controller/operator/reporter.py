"""Writes how an experiment stands: its status where it differs, events, metrics."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from controller.api.status import ExperimentStatus
from controller.kube.work_queue import TokenBucket
from controller.operator.cluster import Cluster, Name
from controller.operator.lifetime import seconds_left, soonest, utc_now, write_time
from controller.operator.memory import Memory
from controller.operator.metrics import Metrics
from controller.operator.target import Target
from controller.plan.standing.conditions import Situation, is_news
from controller.plan.standing.events import build_events
from controller.plan.standing.scene import About, Scene
from controller.plan.standing.status import project_status, project_trouble
from controller.plan.standing.tally import finished_since, tally

__all__ = ["Reporter"]

log = logging.getLogger(__name__)

_WRITE_SECONDS = 1.0
"""Seconds between two writes of a status that holds no news"""
_WRITES_PER_SECOND = 5.0
"""Such writes for all experiments together: each costs the API server a third of what a Job costs it, from its creation
to its end. In a rush the API server is left to the Jobs, and progress is told later."""
_WRITES_AT_ONCE = 20


class Reporter:
    """Says how experiments stand."""

    def __init__(self, cluster: Cluster, metrics: Metrics, now: Callable[[], datetime] = utc_now) -> None:
        self.metrics = metrics
        self._cluster = cluster
        self._now = now
        self._turns = TokenBucket(_WRITES_PER_SECOND, _WRITES_AT_ONCE, time.monotonic())
        self._lock = threading.Lock()

    def report(self, target: Target, scene: Scene, memory: Memory) -> float | None:
        """Write what a scene shows; return the seconds until a change that is held back may be written."""
        before = _read_status(target.obj)
        status = project_status(target.about, scene, before, write_time(self._now()))
        self._count(target, scene, memory, is_new=before is None)
        held_back = self._write(target.name, target.about, before, status, memory)
        return soonest(held_back, seconds_left(target.obj, status.finished, self._now()))

    def refuse(self, name: Name, obj: Mapping[str, Any], situation: Situation, memory: Memory) -> float | None:
        """Write why an experiment does not run at all; return the seconds until it is to be looked at again."""
        metadata = obj["metadata"]
        about = About(
            name=name.name,
            namespace=name.namespace,
            uid=metadata["uid"],
            generation=metadata["generation"],
            created=metadata["creationTimestamp"],
        )
        self.metrics.stand(str(name), {})
        return self._tell(name, obj, about, situation, memory)

    def lack_store(self, target: Target, situation: Situation, memory: Memory) -> float | None:
        """Write that a store cannot be asked; return the seconds until what is held back may be written."""
        self.metrics.store_failures.labels(target.context.store.name).inc()
        return self._tell(target.name, target.obj, target.about, situation, memory)

    def _tell(
        self, name: Name, obj: Mapping[str, Any], about: About, situation: Situation, memory: Memory
    ) -> float | None:
        before = _read_status(obj)
        status = project_trouble(about, situation, before, write_time(self._now()))
        held_back = self._write(name, about, before, status, memory)
        return soonest(held_back, seconds_left(obj, status.finished, self._now()))

    def forget(self, name: Name) -> None:
        """Count an experiment that is gone no more."""
        self.metrics.stand(str(name), {})

    def _count(self, target: Target, scene: Scene, memory: Memory, *, is_new: bool) -> None:
        """Count for the metrics. What was done when this process came counts only in a new experiment: as reused."""
        self.metrics.stand(str(target.name), tally(scene))
        done = frozenset(scene.outcomes)
        known = memory.done if memory.done is not None else frozenset() if is_new else done
        for one in finished_since(scene, known, target.uid):
            self.metrics.finish(one.kind, one.gpu_seconds)
        memory.done = done

    def _write(
        self, name: Name, about: About, before: ExperimentStatus | None, status: ExperimentStatus, memory: Memory
    ) -> float | None:
        if before == status:
            return None
        if not is_news(before.conditions if before else (), status.conditions):
            wait = self._seconds_to_turn(memory)
            if wait > 0:
                return wait
        # Events come of what differs between two statuses: the old one stays until they are posted, so that whoever
        # goes on after a failure in between posts them again (their names keep them from being there twice).
        for event in build_events(about, before, status, write_time(self._now())):
            self._cluster.post(event)
        self._cluster.write_status(name, _as_json(status.model_copy(update={"writes": status.writes + 1})))
        memory.written, memory.turn = memory.clock(), None
        return None

    def _seconds_to_turn(self, memory: Memory) -> float:
        """Return the seconds until a change without news may be written; each waits for its turn once."""
        now = memory.clock()
        if memory.turn is None:
            with self._lock:
                memory.turn = max(now + self._turns.reserve(now), memory.written + _WRITE_SECONDS)
        return memory.turn - now


def _read_status(obj: Mapping[str, Any]) -> ExperimentStatus | None:
    """Read the status as it stands; one that cannot be read is written anew."""
    if not obj.get("status"):
        return None
    try:
        return ExperimentStatus.model_validate(obj["status"], by_alias=True, by_name=False)
    except ValidationError:
        log.warning("the status of %s is not ours, it is written anew", obj["metadata"]["name"])
        return None


def _as_json(status: ExperimentStatus) -> dict[str, Any]:
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)
