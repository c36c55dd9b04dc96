"""Files that are written from code are up to date, and numbers that stand in two places agree."""

import os
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

from controller.api.crd.text import render_definition
from controller.api.reference import render_reference
from controller.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]


def test_the_reference_of_the_manifest_is_what_the_types_say() -> None:
    path = ROOT / "docs" / "manifest.md"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(render_reference())
    assert path.read_text() == render_reference()


def test_the_custom_resource_definition_is_what_the_types_say() -> None:
    path = ROOT / "k8s" / "crd.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(render_definition())
    assert path.read_text() == render_definition(), "run `make generate`"


def test_the_version_is_the_same_everywhere() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version("w2s") == declared
    newest = re.search(r"^## \[?v?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is None or newest.group(1) == declared


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text()
    for name in COMMANDS:
        assert f"w2s {name}" in readme, f"README.md does not name `w2s {name}`"
