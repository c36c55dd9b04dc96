"""One undisturbed run of the smallest experiment; every other test compares with it or goes on from it."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.w2s_command import Sandbox

TINY = Path(__file__).parent / "tiny.yaml"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(1200))


def tiny_manifest() -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load(TINY.read_text())
    return manifest


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Sandbox:
    """A finished run that nothing disturbed: made once, and copied for each test process."""
    base = tmp_path_factory.getbasetemp()
    made = (base if worker_id == "master" else base.parent) / "undisturbed-for-all"
    made.mkdir(exist_ok=True)
    seconds = made / "seconds"
    with (made / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not seconds.exists():
            started = time.monotonic()
            done = Sandbox(made, tiny_manifest()).run()
            assert done.returncode == 0, done.stdout
            seconds.write_text(str(time.monotonic() - started))
    sandbox = copy_of(made, tmp_path_factory.mktemp("undisturbed"))
    sandbox.seconds = float(seconds.read_text())
    return sandbox


def copy_of(finished: Path, folder: Path) -> Sandbox:
    """Copy a finished run."""
    shutil.copytree(finished / ".w2s", folder / ".w2s", copy_function=shutil.copy2)
    return Sandbox(folder, tiny_manifest())


@pytest.fixture
def finished(undisturbed: Sandbox, tmp_path: Path) -> Sandbox:
    """A copy of the undisturbed run, free to be changed."""
    return copy_of(undisturbed.folder, tmp_path / "copy")


@pytest.fixture
def fresh(tmp_path: Path) -> Sandbox:
    """A folder in which nothing has run."""
    return Sandbox(tmp_path / "fresh", tiny_manifest())


@pytest.fixture
def manifest() -> Callable[[], dict[str, Any]]:
    """Make a fresh copy of the smallest experiment's manifest."""
    return tiny_manifest
