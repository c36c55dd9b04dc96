"""Steps counted for metrics: how many there are in which state, and what finished since the last look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from controller.plan.standing.scene import Scene

__all__ = ["Finished", "finished_since", "tally"]


@dataclass(frozen=True)
class Finished:
    """A step with a result."""

    kind: str
    gpu_seconds: float | None
    """what it took; None where no Job of this experiment computed it (a cache hit)"""


def tally(scene: Scene) -> Counter[tuple[str, str]]:
    """Count the steps by state and kind."""
    decision = scene.decision
    states = {
        **dict.fromkeys(scene.running, "running"),
        **dict.fromkeys(scene.waiting, "waiting"),
        **dict.fromkeys(decision.failed, "failed"),
        **dict.fromkeys(decision.blocked, "blocked"),
    }
    return Counter((states.get(step.key, "done"), step.kind) for step in scene.plan.steps)


def finished_since(scene: Scene, known: AbstractSet[str], uid: str) -> Iterator[Finished]:
    """Yield the steps that were not done in `known` and are now, as the experiment with this uid counts them.

    A Job that several experiments own is counted by one of them, whose uid comes first.
    """
    for key, outcome in scene.outcomes.items():
        if key in known:
            continue
        state, kind = scene.jobs.get(key), scene.plan.step(key).kind
        if state is None or uid not in state.owners:
            yield Finished(kind, None)
        elif uid == min(state.owners):
            yield Finished(kind, outcome.gpu_seconds)
