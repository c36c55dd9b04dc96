"""`kubectl apply` of an experiment on a real control plane: it goes through its whole plan to Succeeded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.kube.connect import open_api
from controller.settings import Installation
from tests.support.control_plane import ControlPlane
from tests.support.operator_process import ROOT, install, run_operator
from tests.support.stand_in import StandIn

SHOWN = {"metadata": {"annotations": {"w2s.test/duration": "300ms"}}}


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane) -> ControlPlane:
    install(control_plane)
    return control_plane


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def installation(store: Path) -> Installation:
    return Installation.model_validate(
        {"stores": [{"name": "main", "settings": {"uri": store.as_uri()}}], "defaultStore": "main"}
    )


@pytest.fixture
def stand_in(cluster: ControlPlane, store: Path, tmp_path: Path) -> Iterator[StandIn]:
    with StandIn(open_api(cluster.kubeconfig), store, tmp_path / "scratch") as running:
        yield running


def manifest(name: str, example: str = "quickstart.yaml", **spec: Any) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "examples" / example).read_text())
    read["metadata"] = {"name": name, "namespace": "default"}
    # No simulated node is without a taint; people who taint theirs write the same.
    pod = {"tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}]}
    read["spec"] |= {"podTemplate": {**SHOWN, "spec": pod}, **spec}
    return read


def status(cluster: ControlPlane, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cluster.kubectl("get", "w2s", name, "-o", "json").stdout)
    return found.get("status") or {}


def wait_for(cluster: ControlPlane, name: str, condition: str, seconds: int = 120) -> None:
    cluster.kubectl("wait", f"w2s/{name}", f"--for=condition={condition}", f"--timeout={seconds}s")


def test_an_applied_experiment_succeeds_and_every_step_has_run_once(
    cluster: ControlPlane, installation: Installation, stand_in: StandIn
) -> None:
    with run_operator(cluster, installation):
        cluster.apply(manifest("whole"))
        wait_for(cluster, "whole", "Succeeded")
    found = status(cluster, "whole")
    assert found["steps"]["done"] == found["steps"]["total"] == len(stand_in.seen)
    assert all(len(uids) == 1 for uids in stand_in.seen.values())
    assert found["results"]["headline"] == "written by a stand-in"
    cluster.kubectl("delete", "w2s", "whole")
