"""Experiments as plans: their work is compiled once for all experiments that share a spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controller.api.parse import parse_object
from controller.api.v1alpha1 import WeakToStrongExperiment
from controller.operator.recent import Recent
from controller.plan.compile import Work, compile_work, finish_plan
from controller.plan.graph import Plan
from w2s_jobs.contracts.keys import canonical_json

__all__ = ["Compiled", "Plans"]

_MOST_WORKS = 64


@dataclass(frozen=True)
class Compiled:
    """An experiment and its plan."""

    experiment: WeakToStrongExperiment
    plan: Plan


class Plans:
    """Compiles the objects of the API server. Threads share one."""

    def __init__(self) -> None:
        self._works: Recent[Work] = Recent(_MOST_WORKS)

    def compile(self, obj: Mapping[str, Any]) -> Compiled:
        """Return the plan of an experiment as the API server gives it.

        Raises
        ------
        InvalidExperiment, PlanRefused
            It can never run as it is; the message says what to change.
        """
        experiment = parse_object(obj)
        work = self._works.get((canonical_json(obj["spec"]),), lambda: compile_work(experiment))
        return Compiled(experiment, finish_plan(work, experiment))
