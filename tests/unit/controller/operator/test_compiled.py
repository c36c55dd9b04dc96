"""Plans are compiled once a generation, and as many are kept as there is room for."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.operator import compiled
from controller.operator.compiled import Plans

MANIFEST = yaml.safe_load((Path(__file__).parents[3] / "e2e" / "tiny.yaml").read_text())


def experiment(name: str, generation: int = 1, **spec: Any) -> dict[str, Any]:
    read: dict[str, Any] = copy.deepcopy(MANIFEST)
    read["metadata"] = {"name": name, "namespace": "default", "uid": name, "generation": generation}
    read["spec"] |= spec
    return read


def test_a_plan_is_compiled_once_a_generation() -> None:
    plans = Plans()
    first = plans.compile(experiment("a"))
    assert plans.compile(experiment("a")) is first
    edited = plans.compile(experiment("a", generation=2, seeds=[0, 1]))
    assert len(edited.plan.steps) > len(first.plan.steps)


def test_the_plan_that_was_not_used_for_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = len(Plans().compile(experiment("a")).plan.steps)
    monkeypatch.setattr(compiled, "_MOST_STEPS", 2 * steps)
    plans = Plans()
    a, b = plans.compile(experiment("a")), plans.compile(experiment("b"))
    assert plans.compile(experiment("a")) is a
    plans.compile(experiment("c"))
    assert plans.compile(experiment("a")) is a
    assert plans.compile(experiment("b")) is not b
