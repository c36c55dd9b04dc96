"""Method reward, really run: each kind of step, a second run, a lost artifact, and its rules in the other method."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.small_experiments import write_parity
from tests.support.w2s_command import Sandbox

UNLABELLED, TESTED = 48, 24


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A finished run of reward.yaml."""
    manifest = yaml.safe_load((Path(__file__).parent / "reward.yaml").read_text())
    folder = tmp_path_factory.mktemp("reward")
    write_parity(folder / "parity")
    sandbox = Sandbox(folder, manifest)
    finished = sandbox.run()
    assert finished.returncode == 0, finished.stdout
    assert "Accuracy of each capability" in finished.stdout
    return sandbox


def metrics(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    names = sandbox.plan_keys()
    return {names[key]: found for key, found in sandbox.metrics().items()}


def test_the_five_classes_partition_the_questions_and_what_is_kept_adds_up(done: Sandbox) -> None:
    results = json.loads((done.runs / "results.json").read_text())
    for agreement in results["agreements"]:
        questions = UNLABELLED if agreement["on"] == "unlabelled" else TESTED
        assert {sum(counts.values()) for counts in agreement["capabilities"].values()} == {questions}
        assert sum(agreement["together"].values()) == 2 * questions
    (labels,) = results["labels"]
    for figures in labels["capabilities"].values():
        for kept in figures["selected"].values():
            assert sum(kept["byClass"].values()) == kept["kept"]
            assert kept["retention"] == pytest.approx(kept["kept"] / UNLABELLED, abs=1e-6)
        assert figures["selected"]["random"]["kept"] == figures["selected"]["reward"]["kept"]


def test_every_model_is_evaluated_on_every_capability(done: Sandbox) -> None:
    settings = json.loads((done.runs / "results.json").read_text())["settings"]
    assert {setting["name"] for setting in settings} == {
        "weak/small",
        "ceiling/large",
        "in-context/large",
        *(
            f"{name}/small-large"
            for name in ("wts", "selected-reward", "selected-random", "selected-both", "clean", "mixed", "removed-scan")
        ),
    }
    assert {tuple(setting["capabilities"]) for setting in settings} == {("scan", "parity")}


def test_the_reward_model_learns_from_both_labels_and_selects_by_what_it_says(done: Sandbox) -> None:
    found = metrics(done)
    trained = found["train reward model small-large seed 0"]
    pairs = [value for name, value in found.items() if name.startswith("partition ")]
    assert trained["examples"] == sum(value["positives"] + value["negatives"] for value in pairs)
    assert found["score small-large seed 0 labels"]["rows"] == 2 * UNLABELLED
    for capability in ("scan", "parity"):
        selected = found[f"select by reward {capability} small-large seed 0"]
        assert selected["kept"] + selected["discarded"] == UNLABELLED


def test_a_second_run_computes_nothing_and_lost_scores_are_made_again_to_the_last_byte(
    done: Sandbox, tmp_path: Path
) -> None:
    before = done.report_bytes()
    again = done.run()
    steps = len(done.plan_keys())
    assert f"reused    {steps} of {steps} steps" in again.stdout, again.stdout
    shutil.copytree(done.folder, tmp_path / "copy")
    copy = Sandbox(tmp_path / "copy", yaml.safe_load(done.file.read_text()))
    key = next(key for key, name in copy.plan_keys().items() if name == "score small-large seed 0 labels")
    assert copy.invalidate(f"score/{key}").returncode == 0
    shutil.rmtree(copy.runs)
    mended = copy.run()
    assert mended.returncode == 0, mended.stdout
    assert copy.report_bytes() == before


def test_the_other_method_takes_the_rules_of_this_one_beside_a_threshold(finished: Sandbox, manifest) -> None:
    changed = manifest()
    changed["spec"]["method"]["confidence"]["rounds"] = [
        {"thresholds": [40], "selections": ["reward", "both", "random"], "confidenceThreshold": 40}
    ]
    finished.write(changed)
    done = finished.run()
    assert done.returncode == 0, done.stdout
    for row in ("round 1, t = 40", "round 1, t = reward", "round 1, t = both", "round 1, t = random"):
        assert row in done.stdout
    names = finished.plan_keys()
    found = {names[key]: value for key, value in finished.metrics().items() if key in names}
    assert found["select round 1 t=random seed 0"]["kept"] == found["select round 1 t=reward seed 0"]["kept"]
    assert found["select round 1 t=both seed 0"]["kept"] <= found["select round 1 t=40 seed 0"]["kept"]
