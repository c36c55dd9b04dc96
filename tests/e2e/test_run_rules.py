"""Rules that choose thresholds, extra test questions and both ablations, really run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.w2s_command import Sandbox


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A finished run of rules.yaml."""
    manifest = yaml.safe_load((Path(__file__).parent / "rules.yaml").read_text())
    sandbox = Sandbox(tmp_path_factory.mktemp("rules"), manifest)
    done = sandbox.run()
    assert done.returncode == 0, done.stdout
    return sandbox


def artifacts(sandbox: Sandbox, kind: str, name: str) -> dict[str, Any]:
    """Return a JSON file of each step of a kind by the step's key."""
    found = (sandbox.folder / ".w2s" / "store" / kind).glob(f"*/attempts/*/{name}")
    return {path.parents[2].name: json.loads(path.read_text()) for path in found}


def test_each_rule_chooses_and_the_branch_without_a_sweep_is_filtered_by_its_choice(ruled: Sandbox) -> None:
    names = ruled.plan_keys()
    choices = {names[key]: choice for key, choice in artifacts(ruled, "choose", "threshold.json").items()}
    assert choices.keys() == {
        "choose calibrated round 1 seed 0",
        "choose calibrated round 2 t=calibrated seed 0",
        "choose agreement round 2 t=calibrated seed 0",
    }
    for name, choice in choices.items():
        assert choice["threshold"] in [one["threshold"] for one in choice["candidates"]]
        if "round 2" in name:
            assert [one["threshold"] for one in choice["candidates"]] == [40, 80]
    metrics = {names[key]: found for key, found in ruled.metrics().items()}
    selected = metrics["select round 1 t=calibrated seed 0"]
    assert selected["threshold"] == choices["choose calibrated round 1 seed 0"]["threshold"]
    assert selected["kept"] + selected["discarded"] == 64


def test_every_model_is_evaluated_on_both_sets_of_test_questions(ruled: Sandbox) -> None:
    results = json.loads((ruled.runs / "results.json").read_text())
    points = {point["id"] for point in results["points"]}
    assert {"direct/seed0", "direct-weak/seed0", "direct-ceiling/seed0", "unfiltered/tcalibrated/seed0"} <= points
    names = ruled.plan_keys()
    scored = {names[key]: found["n"] for key, found in artifacts(ruled, "evaluate", "accuracy.json").items()}
    assert scored == {f"evaluate {extra}{point}": 32 for point in points for extra in ("", "extra test ")}


def test_unfiltered_learns_from_every_question(ruled: Sandbox) -> None:
    names = ruled.plan_keys()
    metrics = {names[key]: found for key, found in ruled.metrics().items()}
    first, rest = metrics["select round 1 t=calibrated seed 0"], metrics["select all relabelled t=calibrated seed 0"]
    assert first["kept"] + rest["kept"] + rest["discarded"] == 64
    assert rest["threshold"] is None
