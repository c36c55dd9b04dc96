"""helm for the tests of the chart, and a control plane of their own: what Helm owns, nobody else may have applied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SHARED, missing
from tests.support.assets import VARIABLES, find_assets
from tests.support.chart import Helm, find_helm
from tests.support.control_plane import ControlPlane, start_control_plane


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """helm without a cluster."""
    program = find_helm(find_assets(SHARED))
    if program is None:
        missing(f"no helm: neither in the folder of {' or '.join(VARIABLES)}, nor in ../shared/cluster, nor on PATH")
    assert program is not None
    return Helm(program, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def plane(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane that nothing was applied to."""
    with start_control_plane(tmp_path_factory.mktemp("control-plane"), assets, nodes=1) as started:
        yield started


@pytest.fixture
def cluster_helm(helm: Helm, plane: ControlPlane) -> Helm:
    """helm as the administrator of that control plane."""
    return Helm(helm.program, helm.home, plane.kubeconfig)
