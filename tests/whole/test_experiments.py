"""An experiment goes its whole way through real pods, and comes to what it comes to on a laptop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.w2s_command import Sandbox
from tests.support.whole_cluster import WholeCluster

E2E = Path(__file__).parents[1] / "e2e"


def read(name: str) -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load((E2E / f"{name}.yaml").read_text())
    return manifest


@pytest.mark.parametrize("name", ["tiny"])
def test_an_experiment_comes_to_the_same_on_a_cluster_and_on_a_laptop(
    cluster: WholeCluster, tmp_path: Path, name: str
) -> None:
    manifest = read(name)
    cluster.apply(manifest)
    status = cluster.wait_for_success(manifest["metadata"]["name"])
    assert status["steps"]["done"] == status["steps"]["total"]

    local = Sandbox(tmp_path / "local", manifest)
    done = local.run()
    assert done.returncode == 0, done.stdout
    made = cluster.artifacts()
    assert {key: made[key]["metrics"] for key in local.metrics()} == local.metrics()

    fetched = Sandbox(tmp_path / "fetched", manifest, store=cluster.uri)
    fetched.environment |= cluster.store.environment() | {"AWS_ENDPOINT_URL": cluster.store.endpoint}
    shown = fetched.w2s("report")
    assert shown.returncode == 0, shown.stdout
    assert fetched.report_bytes() == local.report_bytes()
