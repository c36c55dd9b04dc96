"""What a method hands back once its steps are in the plan: points to compare, and the report that compares them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from controller.plan.graph import Point
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.kinds import StepKind
from w2s_jobs.contracts.report import StepUse
from w2s_jobs.contracts.steps import StepParams

__all__ = ["Compared", "ReportHead"]


@dataclass(frozen=True)
class ReportHead:
    """What every report carries, whatever it compares."""

    title: str
    description: str
    uses: tuple[StepUse, ...]
    """uses of every step but the report itself"""
    manifest: dict[str, Any]
    resamples: int
    confidence_level: float
    seed: int


@dataclass(frozen=True)
class Compared:
    """What the report compares."""

    points: tuple[Point, ...]
    kind: StepKind
    """kind of the step that reports"""
    inputs: Mapping[str, tuple[Input, ...]]
    """files that it reads, by role"""
    params: Callable[[ReportHead], StepParams]
    """params of that step; how often each step is used is known only once all steps are"""
