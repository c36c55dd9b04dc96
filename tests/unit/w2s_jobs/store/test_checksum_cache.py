from __future__ import annotations

import os
from pathlib import Path

import pytest

from w2s_jobs.store.checksum import sha256_of
from w2s_jobs.store.checksum_cache import ChecksumCache

PLANTED = "f" * 64


@pytest.fixture
def large(tmp_path: Path) -> Path:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"a" * 2_000_000)
    return file


def plant(cache: ChecksumCache) -> None:
    """Write another sum into every entry, so that an answer from the cache is known as one."""
    for entry in cache.root.iterdir():
        entry.write_text(PLANTED)


def test_a_file_that_has_not_changed_is_hashed_once(large: Path, tmp_path: Path) -> None:
    cache = ChecksumCache(tmp_path / "sums", settle_seconds=0)
    assert cache.sha256(large) == sha256_of(large)
    plant(cache)
    assert cache.sha256(large) == PLANTED


def test_a_file_of_equal_size_and_time_but_other_content_is_hashed_again(large: Path, tmp_path: Path) -> None:
    cache = ChecksumCache(tmp_path / "sums", settle_seconds=0)
    cache.sha256(large)
    plant(cache)
    before = large.stat()
    large.write_bytes(b"b" * 2_000_000)
    while large.stat().st_ctime_ns == before.st_ctime_ns:  # the disk's clock ticks in milliseconds
        large.touch()
    os.utime(large, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert cache.sha256(large) == sha256_of(large)


def test_a_file_that_has_just_changed_is_not_remembered(large: Path, tmp_path: Path) -> None:
    cache = ChecksumCache(tmp_path / "sums", settle_seconds=1e9)
    cache.sha256(large)
    assert not cache.root.exists()


@pytest.mark.parametrize("content", ["", "half a su"])
def test_a_damaged_entry_is_no_answer(large: Path, tmp_path: Path, content: str) -> None:
    cache = ChecksumCache(tmp_path / "sums", settle_seconds=0)
    cache.sha256(large)
    for entry in cache.root.iterdir():
        entry.write_text(content)
    assert cache.sha256(large) == sha256_of(large)


def test_a_cache_that_cannot_be_written_costs_only_time(large: Path, tmp_path: Path) -> None:
    (tmp_path / "sums").touch()
    assert ChecksumCache(tmp_path / "sums", settle_seconds=0).sha256(large) == sha256_of(large)
