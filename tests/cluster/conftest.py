"""A control plane for the tests of this folder: one for each test process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SHARED, missing
from tests.support.assets import find_assets, missing_assets
from tests.support.control_plane import ControlPlane, start_control_plane


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder. On a busy machine a control plane takes its time; none of them waits so long."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of Kubernetes programs."""
    folder = find_assets(SHARED)
    if reason := missing_assets(folder):
        missing(reason)
    assert folder is not None
    return folder


@pytest.fixture(scope="session")
def control_plane(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with two simulated nodes of eight GPUs each."""
    with start_control_plane(tmp_path_factory.mktemp("control-plane"), assets) as plane:
        yield plane
