"""What every test may use: the real S3 server, the folder of real data, and a seed that is printed."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.assets import find_assets, missing_assets
from tests.support.s3_server import S3Server, find_binary, start_server

SHARED = Path(__file__).resolve().parents[2] / "shared"

# No test depends on how fast the machine is just then.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def missing(what: str) -> None:
    """Skip for a reason; in CI nothing may be missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must not skip: {what}")
    pytest.skip(what)


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of Kubernetes programs."""
    folder = find_assets(SHARED)
    if reason := missing_assets(folder):
        missing(reason)
    assert folder is not None
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets beside the repository."""
    folder = SHARED / "data"
    if not folder.is_dir():
        missing("no ../shared/data beside the repository (real data sets)")
    return folder


@pytest.fixture(scope="session")
def papers() -> Path:
    """The folder of the two papers' texts beside the repository."""
    folder = SHARED / "papers"
    if not folder.is_dir():
        missing("no ../shared/papers beside the repository (the papers' texts)")
    return folder


@pytest.fixture(scope="session")
def paper_tables(papers: Path) -> Path:
    """The folder of the paper's published numbers."""
    return papers / "tables"


@pytest.fixture
def seed() -> int:
    """A new seed for each run, printed so that a failure can be repeated with W2S_TEST_SEED."""
    chosen = int(os.environ.get("W2S_TEST_SEED", random.randrange(2**31)))
    print(f"seed: repeat with W2S_TEST_SEED={chosen}")
    return chosen


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server over a folder, one for each test process."""
    binary = find_binary(SHARED / "cluster" / "bin", tmp_path_factory.getbasetemp().parent)
    if binary is None:
        missing("no S3 server: versitygw is neither on PATH nor in ../shared/cluster/bin (or KUBEBUILDER_ASSETS)")
    assert binary is not None
    with start_server(binary, tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def s3_environment(s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server with its credentials in the environment, and a file cache of the test's own."""
    for name, value in {**s3_server.environment(), "W2S_CACHE": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    return s3_server
