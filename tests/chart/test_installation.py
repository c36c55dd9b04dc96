"""What the chart writes is what the controller reads."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.operator.installation_file import read_installation
from controller.settings import Installation, WorkerAccount
from tests.support.chart import CHART, Helm, only, value_files
from tests.support.guide import block

ROOT = Path(__file__).parents[2]


def _version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


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
    workers = {name: value for name, value in given.get("workers", {}).items() if name != "image"}
    assert workers.items() <= content["workers"].items()
    assert read == Installation.model_validate(content, by_alias=True, by_name=False)


def test_the_defaults_are_those_of_the_controller(helm: Helm) -> None:
    read = Installation.model_validate(_installation(helm, None), by_alias=True, by_name=False)
    assert read == Installation()
    assert read.workers.image == f"w2s-worker:{_version()}"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({"repository": "registry.example.com:5000/w2s"}, f"registry.example.com:5000/w2s:{_version()}"),
        ({"tag": "dev"}, "w2s-worker:dev"),
        ({"tag": "dev", "digest": "sha256:" + "0" * 64}, "w2s-worker@sha256:" + "0" * 64),
    ],
)
def test_the_workers_image_has_the_version_of_the_chart_unless_it_is_given_another(
    helm: Helm, image: dict[str, str], expected: str
) -> None:
    assert _installation(helm, {"workers": {"image": image}})["workers"]["image"] == expected


def test_the_controller_is_told_where_workers_have_an_account_of_their_own(helm: Helm) -> None:
    values = {"workerNamespaces": [{"name": "team-a"}, {"name": "team-b"}]}
    account = {"name": "w2s-worker", "namespaces": ["team-a", "team-b"]}
    content = _installation(helm, values)
    assert content["workers"]["serviceAccount"] == account
    read = Installation.model_validate(content, by_alias=True, by_name=False)
    assert read.workers.service_account == WorkerAccount.model_validate(account)
    assert "serviceAccount" not in _installation(helm, values | {"workerServiceAccount": {"create": False}})["workers"]


def test_the_values_of_the_guide_make_an_installation_with_a_store(helm: Helm) -> None:
    content = _installation(helm, yaml.safe_load(block("install.md", "yaml", 0)))
    read = Installation.model_validate(content, by_alias=True, by_name=False)
    assert [store.name for store in read.stores] == [read.default_store]


def test_the_chart_has_the_version_of_the_package() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (_version(), _version())
    kustomization = yaml.safe_load((ROOT / "k8s" / "kustomization.yaml").read_text())
    assert [image["newTag"] for image in kustomization["images"]] == [_version()]
