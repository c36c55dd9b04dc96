"""`cost.json` of a report: what the steps took, and what they would have taken without shared steps."""

from __future__ import annotations

from typing import Literal

from w2s_jobs.contracts.model import Contract

__all__ = ["Cost", "KindCost"]


class KindCost(Contract):
    """What the steps of one kind took, or all of them."""

    kind: str
    steps: int
    uses: int
    """uses: how often they would have run had every point computed everything itself"""
    seconds: float
    """seconds of the attempts that won, summed over steps (not wall time: steps run side by side)"""
    gpu_seconds: float
    attempts: int
    unshared_seconds: float
    """unsharedSeconds: each step's seconds times its uses"""
    unshared_gpu_seconds: float


class Cost(Contract):
    """`cost.json`. Times differ from run to run, which is why they are not in results.json."""

    schema_version: Literal[1] = 1
    kinds: tuple[KindCost, ...]
    total: KindCost
    saved_seconds: float
    saved_gpu_seconds: float
    unknown_steps: int
    """unknownSteps have no result in the store any more and are not counted"""
