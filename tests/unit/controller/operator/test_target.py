"""Experiments are made ready once a generation, and as many plans are kept as there is room for."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.errors import InvalidExperiment
from controller.operator import target
from controller.operator.cluster import Name
from controller.operator.target import Installed, Target
from controller.settings import Installation

MANIFEST = yaml.safe_load((Path(__file__).parents[3] / "e2e" / "tiny.yaml").read_text())


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    stores = [{"name": "main", "settings": {"uri": tmp_path.as_uri()}, "namespaces": ["default"]}]
    return Installed(Installation.model_validate({"stores": stores, "defaultStore": "main"}))


def ready(installed: Installed, name: str, generation: int = 1, namespace: str = "default", **spec: Any) -> Target:
    read: dict[str, Any] = copy.deepcopy(MANIFEST)
    read["metadata"] = {"name": name, "namespace": namespace, "uid": name, "generation": generation}
    read["spec"] |= spec
    return installed.target(Name(namespace, name), read)


def test_a_plan_is_compiled_once_a_generation(installed: Installed) -> None:
    first = ready(installed, "a")
    assert ready(installed, "a").plan is first.plan
    edited = ready(installed, "a", generation=2, seeds=[0, 1])
    assert len(edited.plan.steps) > len(first.plan.steps)


def test_the_plan_that_was_used_longest_ago_makes_room(
    tmp_path: Path, installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "_MOST_STEPS", 2 * len(ready(installed, "a").plan.steps))
    stores = [{"name": "main", "settings": {"uri": tmp_path.as_uri()}}]
    small = Installed(Installation.model_validate({"stores": stores, "defaultStore": "main"}))
    a, b = ready(small, "a").plan, ready(small, "b").plan
    assert ready(small, "a").plan is a
    ready(small, "c")
    assert ready(small, "a").plan is a
    assert ready(small, "b").plan is not b


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"namespace": "other"}, "spec.storage.name: expected a store of this installation that namespace other may"),
        ({"storage": {"uri": "s3://mine/here"}}, "spec.storage.uri: on a cluster a store is named"),
        ({"podTemplate": {"spec": {"restartPolicy": "Always"}}}, "restartPolicy"),
    ],
)
def test_what_can_never_run_is_refused_before_anything_runs(
    installed: Installed, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidExperiment, match=words):
        ready(installed, "a", **change)
