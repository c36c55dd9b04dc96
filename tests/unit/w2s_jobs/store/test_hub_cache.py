"""Models of the hub in a cache that pods share: the hub's own cache, bounded. Nothing here reaches the hub."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from w2s_jobs.store.cache_space import make_room

OLD, NEW = "1" * 40, "2" * 40

USE = """
import sys
from w2s_jobs.store.hub_cache import fetch_hub_model
print(fetch_hub_model("org/" + sys.argv[1], sys.argv[2]), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the pods of a node share it, with two models of 1,000 bytes that the hub's library has fetched."""
    for name, value in {
        "W2S_CACHE": str(tmp_path / "w2s"),
        "HF_HOME": str(tmp_path / "huggingface"),
        "HF_HUB_OFFLINE": "1",
        "W2S_CACHE_BYTES": "1500",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("huggingface_hub.utils._cache_manager.HF_HUB_CACHE", str(tmp_path / "huggingface" / "hub"))
    for name, revision in (("old", OLD), ("new", NEW)):
        home = tmp_path / "huggingface" / "hub" / f"models--org--{name}"
        snapshot = home / "snapshots" / revision
        snapshot.mkdir(parents=True)
        (home / "blobs").mkdir()
        (home / "blobs" / "weights").write_bytes(b"w" * 1000)
        (home / "refs").mkdir()
        (home / "refs" / revision[:7]).write_text(revision)
        (snapshot / "model.safetensors").symlink_to("../../blobs/weights")
    return tmp_path


def use(name: str, revision: str) -> subprocess.Popen[str]:
    """Start a process that uses a model until it is told to end; returns when it has it."""
    command = [sys.executable, "-c", USE, name, revision]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert revision in process.stdout.readline()
    return process


def models(shared: Path) -> set[str]:
    return {path.name for path in (shared / "huggingface" / "hub").glob("models--*/snapshots/*")}


@pytest.mark.parametrize("digits", [40, 7])
def test_a_model_of_the_hub_that_nobody_uses_makes_room_and_one_in_use_stays(shared: Path, digits: int) -> None:
    first = use("old", OLD[:digits])
    second = use("new", NEW)
    assert models(shared) == {OLD, NEW}, "both are in use, whatever the limit"
    second.communicate("\n")
    first.communicate("\n")
    make_room(shared / "w2s", 0)
    assert models(shared) == {NEW}
    assert not list((shared / "huggingface" / "hub" / "models--org--old").rglob("weights"))
