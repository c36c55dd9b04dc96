"""What an experiment took, and what sharing saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from w2s_jobs.contracts.cost import Cost, KindCost
from w2s_jobs.contracts.kinds import StepKind

__all__ = ["StepCost", "sum_costs"]

_ORDER = get_args(StepKind)


@dataclass(frozen=True)
class StepCost:
    """One finished step."""

    kind: str
    uses: int
    seconds: float
    gpu_seconds: float
    attempts: int


def sum_costs(steps: Sequence[StepCost], unknown: int) -> Cost:
    """Sum by kind, in the order in which kinds run, and over all."""
    kinds = sorted({step.kind for step in steps}, key=lambda k: (_ORDER.index(k) if k in _ORDER else len(_ORDER), k))
    total = _sum("total", steps)
    return Cost(
        kinds=tuple(_sum(kind, [step for step in steps if step.kind == kind]) for kind in kinds),
        total=total,
        saved_seconds=round(total.unshared_seconds - total.seconds, 3),
        saved_gpu_seconds=round(total.unshared_gpu_seconds - total.gpu_seconds, 3),
        unknown_steps=unknown,
    )


def _sum(kind: str, steps: Sequence[StepCost]) -> KindCost:
    return KindCost(
        kind=kind,
        steps=len(steps),
        uses=sum(step.uses for step in steps),
        seconds=round(sum(step.seconds for step in steps), 3),
        gpu_seconds=round(sum(step.gpu_seconds for step in steps), 3),
        attempts=sum(step.attempts for step in steps),
        unshared_seconds=round(sum(step.seconds * step.uses for step in steps), 3),
        unshared_gpu_seconds=round(sum(step.gpu_seconds * step.uses for step in steps), 3),
    )
