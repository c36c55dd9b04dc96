"""A whole cluster: a control plane, this machine as its node, an S3 server, the images, and w2s installed by Helm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SHARED, missing
from tests.support.certificates import BRIDGE
from tests.support.chart import Helm, find_helm
from tests.support.control_plane import start_control_plane
from tests.support.image import build, missing_tools, start_saving
from tests.support.real_node import RealNode, add_bridge, missing_for_node, real_node
from tests.support.s3_server import S3Server, find_binary, start_server
from tests.support.tenant import Tenant
from tests.support.whole_cluster import OTHERS, PASSING, WORK, WholeCluster


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
def s3_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The S3 server's program."""
    binary = find_binary(SHARED / "cluster" / "bin", tmp_path_factory.getbasetemp().parent)
    assert binary is not None
    return binary


@pytest.fixture(scope="session")
def store(s3_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server that pods can reach, with users of its own."""
    add_bridge()
    notes = tmp_path_factory.mktemp("s3-notes")
    with start_server(s3_program, tmp_path_factory.mktemp("s3"), BRIDGE, notes) as server:
        yield server


@pytest.fixture(scope="session")
def node(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealNode]:
    """A control plane with this machine as its node, which has both images of this tree."""
    add_bridge()
    folder = tmp_path_factory.mktemp("cluster")
    with start_control_plane(folder, assets, nodes=0, address=BRIDGE) as plane, real_node(plane) as node:
        for target in ("controller", "worker"):
            node.load_from(start_saving(build(target)))
        yield node


@pytest.fixture(scope="session")
def cluster(node: RealNode, store: S3Server, s3_program: Path, assets: Path) -> WholeCluster:
    """The cluster, with w2s installed in it for two tenants."""
    program = find_helm(assets)
    assert program is not None
    helm = Helm(program, node.plane.folder / "helm", node.plane.kubeconfig)
    users = {name: store.add_user(s3_program, name, f"{name}-experiments") for name in (WORK, OTHERS, PASSING)}
    tenants = {name: Tenant(name, user) for name, user in users.items()}
    whole = WholeCluster(node.plane, node, helm, store, tenants)
    whole.install()
    return whole


@pytest.fixture(autouse=True)
def nothing_left_to_run(cluster: WholeCluster) -> Iterator[None]:
    """A node of two cores has no room for what a test began."""
    yield
    cluster.delete_experiments()
