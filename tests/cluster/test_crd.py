"""The CustomResourceDefinition on a real API server: accepted, and every valid manifest with it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.api.parse import parse_object
from controller.cli.experiment_file import read_experiment
from controller.errors import InvalidExperiment
from controller.plan.compile import compile_plan
from tests.support.control_plane import ControlPlane
from tests.support.definition import install_definition, refusals

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted([*(ROOT / "examples").glob("**/*.yaml"), *(ROOT / "tests" / "golden" / "plans").glob("*.yaml")])
WITHOUT_PATHS = [path for path in EXAMPLES if "path: ." not in path.read_text()]
WITH_NULL = [path for path in WITHOUT_PATHS if "extraTest: null" in path.read_text()]
STATUS = {
    "conditions": [
        {
            "type": "Ready",
            "status": "False",
            "reason": "StepsRunning",
            "message": "",
            "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ],
    "progress": "3/9",
    "results": {"bestPgr": "0.69"},
}


@pytest.fixture(scope="module")
def plane(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """A control plane that knows experiments."""
    install_definition(control_plane)
    control_plane.kubectl("create", "namespace", "examples")
    yield control_plane
    control_plane.kubectl("delete", "namespace", "examples", "--wait=false")


def test_the_definition_is_established_and_structural(plane: ControlPlane) -> None:
    crd = json.loads(plane.kubectl("get", "crd", "weaktostrongexperiments.w2s.dev", "-o", "json").stdout)
    conditions = {one["type"]: one["status"] for one in crd["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}


def test_every_example_is_accepted(plane: ControlPlane) -> None:
    assert len(EXAMPLES) > 15
    assert refusals(plane, EXAMPLES, "examples") == {}


def dry_run(plane: ControlPlane, way: tuple[str, ...], files: list[Path]) -> dict[str, dict[str, Any]]:
    """What the API server would store of each manifest, by its name."""
    arguments = [part for file in files for part in ("-f", str(file))]
    text = plane.kubectl(*way, "-n", "examples", "--dry-run=server", "-o", "json", *arguments).stdout
    found, decoder = [], json.JSONDecoder()
    while text.strip():  # one document after the other, or one list
        obj, end = decoder.raw_decode(text.lstrip())
        text = text.lstrip()[end:]
        found += obj.get("items", [obj])
    return {obj["metadata"]["name"]: obj for obj in found}


@pytest.mark.parametrize("way", [("apply",), ("apply", "--server-side"), ("create",)], ids=" ".join)
def test_what_the_server_fills_in_changes_no_plan(plane: ControlPlane, way: tuple[str, ...]) -> None:
    files = [path for path in WITHOUT_PATHS if way != ("apply",) or path not in WITH_NULL]
    assert len(files) > 8
    stored = dry_run(plane, way, files)
    for file in files:
        experiment = read_experiment(file)
        from_server = parse_object(stored[experiment.metadata.name])
        assert from_server.spec == experiment.spec, file
        assert compile_plan(from_server).to_json() == compile_plan(experiment).to_json(), file


def test_a_null_that_kubectl_drops_is_not_taken_for_zero(plane: ControlPlane) -> None:
    assert WITH_NULL
    for obj in dry_run(plane, ("apply",), WITH_NULL).values():
        assert obj["spec"]["dataset"]["splits"]["extraTest"] == 0
        with pytest.raises(
            InvalidExperiment, match=r"spec\.dataset\.splits\.extraTest: null is written.*--server-side"
        ):
            parse_object(obj)


def test_a_list_of_experiments_shows_how_far_they_are(plane: ControlPlane) -> None:
    manifest = (ROOT / "examples" / "quickstart.yaml").read_text().replace("name: quickstart", "name: shown")
    plane.kubectl("apply", "-n", "examples", "-f", "-", stdin=manifest)
    patch = json.dumps({"status": STATUS})
    plane.kubectl("patch", "w2s", "shown", "-n", "examples", "--subresource=status", "--type=merge", "-p", patch)
    head, row = plane.kubectl("get", "w2s", "shown", "-n", "examples").stdout.splitlines()
    assert head.split() == ["NAME", "READY", "PROGRESS", "PGR", "REASON", "AGE"]
    assert row.split()[:5] == ["shown", "False", "3/9", "0.69", "StepsRunning"]
    assert "weaktostrongexperiment.w2s.dev/shown" in plane.kubectl("get", "all", "-n", "examples").stdout


def test_a_status_is_written_by_its_own_door_only(plane: ControlPlane) -> None:
    manifest = (ROOT / "examples" / "quickstart.yaml").read_text().replace("name: quickstart", "name: doors")
    plane.kubectl("apply", "-n", "examples", "-f", "-", stdin=f"{manifest}\nstatus: {{progress: 1/1}}\n")
    assert plane.kubectl("get", "w2s", "doors", "-n", "examples", "-o", "jsonpath={.status}").stdout == ""


@pytest.mark.parametrize(("written", "read"), [("n", "false"), ('"n"', "n")])
def test_samples_under_the_name_that_samplers_give_them_are_refused(
    plane: ControlPlane, written: str, read: str
) -> None:
    manifest = (ROOT / "examples" / "quickstart.yaml").read_text()
    assert "{samples: 10" in manifest
    manifest = manifest.replace("{samples: 10", f"{{{written}: 10")
    tried = plane.kubectl("apply", "--dry-run=server", "-f", "-", stdin=manifest, check=False)
    assert tried.returncode != 0
    assert f'unknown field "spec.sampling.{read}"' in tried.stderr


def test_null_takes_the_rest_where_the_server_gets_it(plane: ControlPlane) -> None:
    manifest = (ROOT / "tests" / "golden" / "plans" / "two-rounds.yaml").read_text()
    manifest = manifest.replace("test: 500", "test: 500, extraTest: null")
    made = plane.kubectl("apply", "--server-side", "--dry-run=server", "-o", "json", "-f", "-", stdin=manifest)
    assert parse_object(json.loads(made.stdout)).spec.dataset.splits.extra_test is None
