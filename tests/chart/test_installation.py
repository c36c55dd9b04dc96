"""What the chart writes is what the controller reads."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.operator.installation_file import read_installation
from controller.settings import Installation, WorkerDefaults
from tests.support.chart import CHART, Helm, only, value_files
from tests.support.guide import block

ROOT = Path(__file__).parents[2]


def _installation(helm: Helm, values: Any) -> dict[str, Any]:
    text = only(helm.objects(values), "ConfigMap", "w2s-controller")["data"]["installation.yaml"]
    content: dict[str, Any] = yaml.safe_load(text)
    return content


@pytest.mark.parametrize("file", value_files(), ids=lambda path: path.stem)
def test_the_controller_reads_every_value_as_it_was_given(helm: Helm, file: Path, tmp_path: Path) -> None:
    content = _installation(helm, file)
    target = tmp_path / "installation.yaml"
    target.write_text(yaml.safe_dump(content))
    given = yaml.safe_load(file.read_text())
    read = read_installation(target)
    assert read.kueue is given.get("kueue", {}).get("enabled", False)
    for name in ("stores", "pools", "namespaces", "defaultStore"):
        assert content.get(name) == given.get(name, [] if name != "defaultStore" else None)
    assert content["workers"].items() >= given.get("workers", {}).items()
    assert read == Installation.model_validate(content, by_alias=True, by_name=False)


def test_the_defaults_are_those_of_the_controller_but_for_the_image(helm: Helm) -> None:
    read = Installation.model_validate(_installation(helm, None), by_alias=True, by_name=False)
    image = f"w2s-worker:{_version()}"
    assert read == Installation(workers=WorkerDefaults(image=image))


def test_the_values_of_the_guide_make_an_installation_with_a_store(helm: Helm) -> None:
    content = _installation(helm, yaml.safe_load(block("install.md", "yaml", 0)))
    read = Installation.model_validate(content, by_alias=True, by_name=False)
    assert [store.name for store in read.stores] == [read.default_store]


def test_the_chart_has_the_version_of_the_package() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (_version(), _version())
    kustomization = yaml.safe_load((ROOT / "k8s" / "kustomization.yaml").read_text())
    assert [image["newTag"] for image in kustomization["images"]] == [_version()]


def _version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])
