"""Every broken manifest of tests/golden/invalid is refused by the API server itself, which names the field.

What the server cannot find is in a table here, with the reason. It becomes a condition of the experiment.
"""

import re
from pathlib import Path

import pytest
import yaml

from controller.api.parse import parse_object
from controller.errors import InvalidExperiment
from tests.support.control_plane import ControlPlane
from tests.support.definition import install_definition, refusals, refused_paths

FOLDER = Path(__file__).parents[1] / "golden" / "invalid"

NOT_YAML = {
    "02-yaml-syntax",
    "03-yaml-tab",
    "04-yaml-indentation",
    "09-alias-in-itself",
    "62-infinite-rate",
    "85-aliases-of-aliases",
    "87-control-character",
}
"""kubectl makes no JSON of these"""
NO_EXPERIMENT = {
    "01-empty-file": "nothing to apply",
    "06-list-at-the-top": "no object",
    "11-wrong-api-version": "another kind of object, which no server knows",
    "12-wrong-kind": "another kind of object, which no server knows",
    "86-nested-too-deeply": "no object",
}
OTHER_TO_KUBECTL = {
    "05-two-documents": "kubectl applies both documents",
    "07-duplicate-key": "kubectl sends the last of the two",
    "08-duplicate-nested-key": "kubectl sends the last of the two",
    "10-unknown-tag": "kubectl sends the plain value",
    "65-null-for-mapping": "kubectl apply sends no null, so the defaults hold",
    "93-two-test-sets-take-the-rest": "kubectl apply sends no null, so extraTest is 0",
    "117-extra-test-of-reward": "kubectl apply sends no null, so extraTest is 0",
}
"""Valid once kubectl has read them"""
ONLY_AT_COMPILE = {
    "88-branch-from-unknown-path": "walking the tree of branches costs more than CEL's budget allows",
}

TRIED = [
    path
    for path in sorted(FOLDER.glob("*.yaml"))
    if path.stem not in {*NOT_YAML, *NO_EXPERIMENT, *OTHER_TO_KUBECTL, *ONLY_AT_COMPILE}
]


@pytest.fixture(scope="module")
def said(control_plane: ControlPlane) -> dict[str, str]:
    """What the API server says of each manifest that it refuses."""
    install_definition(control_plane)
    control_plane.kubectl("create", "namespace", "invalid")
    files = [*TRIED, *(FOLDER / f"{name}.yaml" for name in (*OTHER_TO_KUBECTL, *ONLY_AT_COMPILE))]
    files.remove(FOLDER / "05-two-documents.yaml")  # counts as two
    return {path.stem: message for path, message in refusals(control_plane, files, "invalid").items()}


def wanted_paths(name: str) -> set[str]:
    """The paths that our own message names."""
    lines = (FOLDER / f"{name}.txt").read_text().splitlines()
    return {found[1] for line in lines if (found := re.match(r"FILE: (?:line \d+: )?([\w.\[\]]+): ", line))}


def is_at_or_above(path: str, wanted: str) -> bool:
    """Tell whether a path names the field that is wanted, or the mapping or list in which it stands."""
    return path == wanted or wanted.startswith((f"{path}.", f"{path}["))


@pytest.mark.parametrize("name", [path.stem for path in TRIED])
def test_the_api_server_refuses_a_broken_manifest_and_names_the_field(name: str, said: dict[str, str]) -> None:
    assert name in said, "accepted"
    paths, wanted = refused_paths(said[name]), wanted_paths(name)
    close = {path for path in paths if path != "spec" or "spec" in wanted}
    assert any(is_at_or_above(path, one) or is_at_or_above(one, path) for path in close for one in wanted), (
        f"expected one of {sorted(wanted)}, got {sorted(paths)}: {said[name]}"
    )


def test_what_the_server_cannot_find_is_what_the_table_says(said: dict[str, str]) -> None:
    assert not said.keys() & {*OTHER_TO_KUBECTL, *ONLY_AT_COMPILE}
    assert len(TRIED) > 130


@pytest.mark.parametrize("name", ONLY_AT_COMPILE)
def test_what_only_compile_finds_is_found_in_the_object(name: str) -> None:
    with pytest.raises(InvalidExperiment) as refused:
        parse_object(yaml.safe_load((FOLDER / f"{name}.yaml").read_text()))
    assert all(wanted in str(refused.value) for wanted in wanted_paths(name))


@pytest.mark.parametrize("name", sorted({*NOT_YAML, *NO_EXPERIMENT}))
def test_kubectl_sends_nothing_of_what_is_no_experiment(name: str, control_plane: ControlPlane, said: object) -> None:
    tried = control_plane.kubectl("apply", "--dry-run=server", "-f", str(FOLDER / f"{name}.yaml"), check=False)
    assert tried.returncode != 0
    assert tried.stderr.startswith("error: ")
