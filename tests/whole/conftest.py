"""A whole cluster: a control plane, this machine as its node, an S3 server, the images, and w2s installed by Helm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SHARED, missing
from tests.support.certificates import BRIDGE
from tests.support.chart import Helm, find_helm
from tests.support.control_plane import start_control_plane
from tests.support.image import build, missing_tools, save
from tests.support.real_node import add_bridge, missing_for_node, real_node
from tests.support.s3_server import S3Server, find_binary, start_server
from tests.support.whole_cluster import WholeCluster


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.whole)
            item.add_marker(pytest.mark.timeout(2400))


@pytest.fixture(scope="session", autouse=True)
def node_tools(assets: Path) -> None:
    """What a node and the images need beside the Kubernetes programs."""
    for reason in (missing_for_node(assets), missing_tools(), None if find_helm(assets) else f"{assets} has no helm"):
        if reason:
            missing(reason)


@pytest.fixture(scope="session")
def images(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Archives of both images of this tree."""
    folder = tmp_path_factory.mktemp("images")
    return [save(build(target), folder / f"{target}.tar") for target in ("controller", "worker")]


@pytest.fixture(scope="session")
def store(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server that pods can reach."""
    add_bridge()
    binary = find_binary(SHARED / "cluster" / "bin", tmp_path_factory.getbasetemp().parent)
    assert binary is not None
    with start_server(binary, tmp_path_factory.mktemp("s3"), BRIDGE) as server:
        yield server


@pytest.fixture(scope="session")
def cluster(
    assets: Path, images: list[Path], store: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WholeCluster]:
    """The cluster, with w2s installed in it."""
    folder = tmp_path_factory.mktemp("cluster")
    program = find_helm(assets)
    assert program is not None
    with start_control_plane(folder, assets, nodes=0, address=BRIDGE) as plane, real_node(plane) as node:
        for archive in images:
            node.load(archive)
            archive.unlink()
        whole = WholeCluster(plane, node, store, Helm(program, folder / "helm", plane.kubeconfig))
        whole.install()
        yield whole
