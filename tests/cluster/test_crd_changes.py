"""What may be changed in an experiment that exists: how it runs, and lists that grow. Nothing else."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.api.crd.rules.rule import Rule
from controller.api.crd.rules.table import RULES
from controller.api.v1alpha1 import ExperimentSpec
from tests.support.control_plane import ControlPlane
from tests.support.definition import install_definition, refusals, refused_paths
from tests.unit.controller.conftest import REWARD, TINY

Change = Callable[[dict[str, Any]], object]


def confidence(spec: dict[str, Any]) -> dict[str, Any]:
    return spec["method"]["confidence"]


def reward(spec: dict[str, Any]) -> dict[str, Any]:
    return spec["method"]["reward"]


ALLOWED: dict[str, Change] = {
    "confidence: nothing": lambda spec: None,
    "confidence: description": lambda spec: spec.update(description="clearer words"),
    "confidence: suspend": lambda spec: spec.update(suspend=True),
    "confidence: limits": lambda spec: spec.update(maxParallelSteps=2, activeDeadlineSeconds=60),
    "confidence: pod template": lambda spec: spec.update(podTemplate={"spec": {"nodeSelector": {"a": "b"}}}),
    "confidence: pool and placement": lambda spec: spec.update(
        pools=[{"name": "big", "gpu": "H100-80GB"}], placement={"weakSampling": {"pool": "big"}}
    ),
    "confidence: another seed": lambda spec: spec.update(seeds=[0, 1]),
    "confidence: a threshold": lambda spec: confidence(spec)["rounds"][0].update(thresholds=[50, 60, 70]),
    "confidence: a rule": lambda spec: confidence(spec)["rounds"][1].update(rules=["agreement"]),
    "confidence: a selection": lambda spec: confidence(spec)["rounds"][0].update(
        selections=["both"], confidenceThreshold=60
    ),
    "confidence: a round": lambda spec: confidence(spec)["rounds"].append({"thresholds": [80]}),
    "confidence: defaults written out": lambda spec: spec.update(seeds=[0], training={"epochs": 2}),
    "reward: an ablation": lambda spec: reward(spec).update(ablations=["wts-2"]),
    "reward: a selection with its threshold": lambda spec: reward(spec).update(
        selections=["reward", "both"], confidenceThreshold=70
    ),
    "reward: noise": lambda spec: reward(spec).update(noise=[20, 40]),
}

REFUSED: dict[str, tuple[Change, str]] = {
    "confidence: task": (lambda spec: spec["task"].update(family="math"), "spec.task"),
    "confidence: splits": (lambda spec: spec["dataset"]["splits"].update(labelled=99), "spec.dataset"),
    "confidence: model": (lambda spec: spec["models"]["weak"]["pretrain"].clear(), "spec.models"),
    "confidence: sampling": (lambda spec: spec.update(sampling={"samples": 5}), "spec.sampling"),
    "confidence: training": (lambda spec: spec.update(training={"epochs": 3}), "spec.training"),
    "confidence: evaluation": (lambda spec: spec.update(evaluation={"maxTokens": 64}), "spec.evaluation"),
    "confidence: engine": (lambda spec: spec.update(engine="transformers"), "spec.engine"),
    "confidence: storage": (lambda spec: spec.update(storage={"name": "other"}), "spec.storage"),
    "confidence: seed taken away": (lambda spec: spec.update(seeds=[1]), "spec.seeds"),
    "confidence: threshold taken away": (
        lambda spec: confidence(spec)["rounds"][0].update(thresholds=[50]),
        "spec.method.confidence.rounds",
    ),
    "confidence: after where all went on": (
        lambda spec: confidence(spec)["rounds"][1].update(after=[50]),
        "spec.method.confidence.rounds",
    ),
    "confidence: round taken away": (
        lambda spec: confidence(spec)["rounds"].pop(),
        "spec.method.confidence.rounds",
    ),
    "confidence: ablation taken away": (
        lambda spec: confidence(spec).update(ablations=["direct"]),
        "spec.method.confidence.ablations",
    ),
    "confidence: default baseline taken away": (
        lambda spec: confidence(spec).update(baselines=["weak"]),
        "spec.method.confidence.baselines",
    ),
    "confidence: chain of thought": (
        lambda spec: confidence(spec).update(requireChainOfThought=False),
        "spec.method.confidence.requireChainOfThought",
    ),
    "reward: cutoff": (
        lambda spec: reward(spec).update(rewardModel={"cutoff": 0.6}),
        "spec.method.reward.rewardModel",
    ),
    "reward: weak training": (
        lambda spec: reward(spec).update(weakTraining={"epochs": 1}),
        "spec.method.reward.weakTraining",
    ),
    "reward: baselines": (lambda spec: reward(spec).update(baselines=["weak"]), "spec.method.reward.baselines"),
    "reward: capabilities": (lambda spec: spec["capabilities"].pop(), "spec.capabilities"),
    "reward: chain": (
        lambda spec: spec["models"]["chain"].append({**spec["models"]["chain"][-1], "name": "larger"}),
        "spec.models",
    ),
}


@pytest.fixture(scope="module")
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    install_definition(control_plane)
    control_plane.kubectl("create", "namespace", "changes")
    yield "changes"
    control_plane.kubectl("delete", "namespace", "changes", "--wait=false")


@pytest.fixture(scope="module")
def said(control_plane: ControlPlane, namespace: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the API server says of each change that it refuses."""
    before = {"confidence": yaml.safe_load(TINY), "reward": yaml.safe_load(REWARD)}
    for obj in before.values():
        control_plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(obj))
    folder = tmp_path_factory.mktemp("changes")
    files: dict[Path, str] = {}
    for name, change in [*ALLOWED.items(), *((name, change) for name, (change, _) in REFUSED.items())]:
        obj = json.loads(json.dumps(before[name.split(":", maxsplit=1)[0]]))
        change(obj["spec"])
        file = folder / f"{len(files)}.json"
        file.write_text(json.dumps(obj))
        files[file] = name
    return {files[file]: message for file, message in refusals(control_plane, list(files), namespace).items()}


@pytest.mark.parametrize("name", ALLOWED)
def test_how_it_runs_may_change_and_lists_may_grow(name: str, said: dict[str, str]) -> None:
    assert said.get(name) is None


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_computed_may_not_change(name: str, said: dict[str, str]) -> None:
    assert name in said, "accepted"
    assert REFUSED[name][1] in refused_paths(said[name])
    assert "apply a new experiment under another name" in said[name].lower()


def test_the_method_may_not_change(control_plane: ControlPlane, namespace: str, said: object) -> None:
    reward, confidence = yaml.safe_load(REWARD), yaml.safe_load(TINY)
    other = json.dumps({**reward, "metadata": confidence["metadata"]})
    tried = control_plane.kubectl("replace", "-n", namespace, "--dry-run=server", "-f", "-", stdin=other, check=False)
    assert {"spec.method", "spec.models"} <= refused_paths(tried.stderr)


def test_a_status_is_no_way_around_the_rules(control_plane: ControlPlane, namespace: str) -> None:
    """The rules of the spec are passed over where the status counts another write."""
    obj = yaml.safe_load(TINY)
    obj["metadata"]["name"] = "around"
    control_plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(obj))
    patch = json.dumps({"spec": {"engine": "transformers", "seeds": [0, 0]}, "status": {"writes": 7}})
    here = ("patch", "w2s", "around", "-n", namespace, "--type=merge", "-p", patch)
    assert "spec.engine" in control_plane.kubectl(*here, check=False).stderr
    control_plane.kubectl(*here, "--subresource=status")
    now = json.loads(control_plane.kubectl("get", "w2s", "around", "-n", namespace, "-o", "json").stdout)
    assert now["status"]["writes"] == 7
    assert (now["spec"]["engine"], now["spec"]["seeds"]) == ("auto", [0])
    assert "spec.engine" in control_plane.kubectl(*here, check=False).stderr


def test_an_experiment_that_a_newer_rule_would_refuse_can_still_be_labelled_and_told_of(
    control_plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    obj = yaml.safe_load(TINY)
    obj["metadata"]["name"] = "older"
    control_plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(obj))
    newer = Rule(ExperimentSpec, "size(self.description) > 200", "tell more of it", ".description")
    edit = ("patch", "w2s", "older", "-n", namespace, "--type=merge", "-p", '{"spec": {"suspend": true}}')
    with monkeypatch.context() as stricter:
        stricter.setattr("controller.api.crd.definition.RULES", (*RULES, newer))
        install_definition(control_plane)
    try:
        dry = (*edit, "--dry-run=server")
        control_plane.wait_for("the newer rule", lambda: control_plane.kubectl(*dry, check=False).returncode != 0)
        assert "tell more of it" in control_plane.kubectl(*edit, check=False).stderr
        control_plane.kubectl("label", "w2s", "older", "-n", namespace, "kept=yes")
        status = ("--subresource=status", "--type=merge", "-p", '{"status": {"writes": 1, "progress": "1/2"}}')
        control_plane.kubectl("patch", "w2s", "older", "-n", namespace, *status)
        control_plane.kubectl("delete", "w2s", "older", "-n", namespace, "--cascade=foreground", "--timeout=30s")
    finally:
        install_definition(control_plane)


def test_two_people_may_each_add_a_seed(control_plane: ControlPlane, namespace: str) -> None:
    obj = yaml.safe_load(TINY)
    obj["metadata"]["name"] = "seeds"
    control_plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(obj))
    only = {key: obj[key] for key in ("apiVersion", "kind", "metadata")}
    for person, seed in (("ann", 1), ("bob", 2)):
        control_plane.kubectl(
            *("apply", "-n", namespace, "--server-side", "--field-manager", person, "-f", "-"),
            stdin=json.dumps({**only, "spec": {"seeds": [seed]}}),
        )
    seeds = control_plane.kubectl("get", "w2s", "seeds", "-n", namespace, "-o", "jsonpath={.spec.seeds}").stdout
    assert json.loads(seeds) == [0, 1, 2]
