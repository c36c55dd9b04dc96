"""k8s/ is the chart without Helm."""

import os
from pathlib import Path

import yaml

from controller.api.crd.definition import build_definition
from tests.support.chart import CHART, Helm
from tests.support.plain_manifests import render_manifests

FOLDER = Path(__file__).parents[2] / "k8s"
DEFINITION = CHART / "files" / "crd.yaml"


def test_every_file_is_what_the_chart_renders(helm: Helm) -> None:
    rendered = render_manifests(helm)
    if os.environ.get("UPDATE_GOLDEN"):
        for name, text in rendered.items():
            (FOLDER / name).write_text(text)
        DEFINITION.write_text(rendered["crd.yaml"])
    assert {name: (FOLDER / name).read_text() for name in rendered} == rendered, "run `make generate`"


def test_the_chart_carries_the_definition_that_the_types_say() -> None:
    assert DEFINITION.read_text() == (FOLDER / "crd.yaml").read_text(), "run `make generate`"


def test_the_chart_adds_only_metadata_to_the_definition(helm: Helm) -> None:
    rendered = yaml.safe_load(helm.template(None, "-s", "templates/crd.yaml"))
    assert rendered["spec"] == build_definition()["spec"]
    assert rendered["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_the_kustomization_has_every_file() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted(path.name for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
