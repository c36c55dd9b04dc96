"""Locks on files that processes of several pods share, and what they may take away."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

import pytest

from w2s_jobs.store.cache import FileCache
from w2s_jobs.store.file_lock import share, take_if_free

CONTENT = b"weights" * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()


def test_an_exclusive_lock_is_taken_by_who_may_write_as_nfs_wants_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    descriptor = take_if_free(path)
    assert descriptor is not None
    assert fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR
    os.close(descriptor)


def test_what_is_shared_is_not_free(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    held = share(path)
    assert held is not None
    assert take_if_free(path) is None
    os.close(held)


def test_who_finds_a_file_damaged_leaves_the_good_one_that_another_has_fetched_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("W2S_CACHE", str(tmp_path / "cache"))
    cache = FileCache.of_this_machine().of_store("s3://bucket")
    path = cache.path(SHA)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * len(CONTENT))

    def replaced_meanwhile(file: Path) -> str:
        fresh = tmp_path / "fresh"
        fresh.write_bytes(CONTENT)
        fresh.rename(file)
        return "0" * 64

    monkeypatch.setattr("w2s_jobs.store.cache.sha256_of", replaced_meanwhile)
    assert cache._hold(SHA, len(CONTENT)) is None
    assert path.read_bytes() == CONTENT
