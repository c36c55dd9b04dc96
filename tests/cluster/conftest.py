"""A control plane for the tests of this folder: one for each test process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.control_plane import ControlPlane, start_control_plane
from tests.support.job_ground import JobGround, open_job_ground
from tests.support.operator_process import install


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder. On a busy machine a control plane takes its time; none of them waits so long."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def control_plane(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with two simulated nodes of eight GPUs each."""
    with start_control_plane(tmp_path_factory.mktemp("control-plane"), assets) as plane:
        yield plane


@pytest.fixture(scope="module")
def ground(control_plane: ControlPlane) -> Iterator[JobGround]:
    """Namespaces in which Jobs are made without a controller."""
    with open_job_ground(control_plane) as ground:
        yield ground


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane) -> ControlPlane:
    """The control plane with the definition, the rights and the namespace of an operator."""
    install(control_plane)
    return control_plane
