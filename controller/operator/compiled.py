"""Experiments as plans: compiled once a generation, and their work once for all experiments that share a spec."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from controller.api.parse import parse_object
from controller.api.v1alpha1 import WeakToStrongExperiment
from controller.plan.compile import Work, compile_work, finish_plan
from controller.plan.graph import Plan
from w2s_jobs.contracts.keys import canonical_json

__all__ = ["Compiled", "Plans"]

_MOST_STEPS = 40_000
"""Steps of all plans that are kept, 5 kB each; the plan that was used longest ago is compiled again when needed"""
_MOST_WORKS = 64

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Compiled:
    """An experiment and its plan."""

    experiment: WeakToStrongExperiment
    plan: Plan


class Plans:
    """Compiles the objects of the API server. Threads share one."""

    def __init__(self) -> None:
        self._plans: _Recent[Compiled] = _Recent(_MOST_STEPS, lambda compiled: len(compiled.plan.steps))
        self._works: _Recent[Work] = _Recent(_MOST_WORKS)

    def compile(self, obj: Mapping[str, Any]) -> Compiled:
        """Return the plan of an experiment as the API server gives it.

        Raises
        ------
        InvalidExperiment, PlanRefused
            It can never run as it is; the message says what to change.
        """
        metadata = obj["metadata"]
        return self._plans.get((metadata["uid"], metadata["generation"]), lambda: self._compile(obj))

    def _compile(self, obj: Mapping[str, Any]) -> Compiled:
        experiment = parse_object(obj)
        work = self._works.get((canonical_json(obj["spec"]),), lambda: compile_work(experiment))
        return Compiled(experiment, finish_plan(work, experiment))


class _Recent(Generic[_Value]):
    """The most recently used values of a function, by key, as many as weigh `most` together."""

    def __init__(self, most: int, weigh: Callable[[_Value], int] = lambda _: 1) -> None:
        self._most = most
        self._weigh = weigh
        self._weight = 0
        self._values: OrderedDict[tuple[Any, ...], _Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[Any, ...], make: Callable[[], _Value]) -> _Value:
        """Return the value of `key`, making it where it is not there; two threads may both make it."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            self._drop(key)
            self._values[key] = value
            self._weight += self._weigh(value)
            while self._weight > self._most and len(self._values) > 1:
                self._drop(next(iter(self._values)))
        return value

    def _drop(self, key: tuple[Any, ...]) -> None:
        if key in self._values:
            self._weight -= self._weigh(self._values.pop(key))
