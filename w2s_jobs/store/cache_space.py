"""Keeps the cache of files from filling the disk: what was used longest ago goes first, and nothing that is in use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from w2s_jobs.contracts.errors import DependencyError, InputError
from w2s_jobs.store.file_lock import sole, take_if_free

__all__ = ["HUB", "INCOMING", "LIMIT", "LOCKS", "make_room", "remove_leftovers"]

HUB, INCOMING, LOCKS = "hub", "incoming", "locks"
LIMIT = "W2S_CACHE_BYTES"
"""Variable: bytes that the cache may hold; without it, all but `_FREE_SHARE` of the disk"""
_FREE_SHARE = 0.15
"""Share of the disk that is left free. Kubernetes begins to evict pods when less than a tenth is."""


def make_room(home: Path, size: int) -> None:
    """Evict what must go so that all that is being fetched, a file of `size` bytes among it, has room.

    What is in use stays, even where that is more than the limit.

    Raises
    ------
    DependencyError
        The file does not fit on the disk all the same.
    """
    limit = _limit()
    with sole(home / "room"):
        coming = _coming(home)
        disk, entries = shutil.disk_usage(home), sorted([*_files(home), *_hub_models(home)])
        excess = coming - disk.free
        if limit is None:
            excess += int(disk.total * _FREE_SHARE)
        else:
            excess = max(excess, coming + sum(size for _, size, _ in entries) - limit)
        for _, bytes_of_it, path in entries:
            if excess <= 0:
                break
            if _evict(path):
                excess -= bytes_of_it
    free = shutil.disk_usage(home).free
    if free < size:
        raise DependencyError(
            f"no space left at {home}: {free:,} bytes free, {size:,} needed, and all that the cache holds is in use; "
            "free some space there or give W2S_CACHE a larger disk, then run again"
        )


def remove_leftovers(store: Path, sha256: str) -> None:
    """Remove what killed processes left of a file; only whoever holds its lock may."""
    for path in (store / INCOMING).glob(f"{sha256}.*"):
        path.unlink(missing_ok=True)


def _coming(home: Path) -> int:
    """Return how many bytes are being fetched, and clear away what nobody fetches any more."""
    coming = 0
    for lock in home.glob(f"*/{LOCKS}/*"):
        free = take_if_free(lock)
        if free is None:
            coming += _size_in(lock)
            continue
        remove_leftovers(lock.parents[1], lock.name)
        lock.unlink(missing_ok=True)
        os.close(free)
    return coming


def _files(home: Path) -> Iterator[tuple[float, int, Path]]:
    """Yield when each file was used last, its size and its path. One with a second name is in use by that."""
    for path in home.glob("*/??/*"):
        with suppress(FileNotFoundError):
            state = path.stat()
            if state.st_nlink == 1:
                yield state.st_mtime, state.st_size, path


def _hub_models(home: Path) -> Iterator[tuple[float, int, Path]]:
    """Yield the same of the markers that stand for models of the hub (hub_cache.py)."""
    for marker in home.glob(f"{HUB}/*"):
        with suppress(FileNotFoundError):
            yield marker.stat().st_mtime, _size_in(marker), marker


def _size_in(lock: Path) -> int:
    try:
        return int((lock.read_text().split() or ["0"])[0])
    except FileNotFoundError:
        return 0


def _evict(path: Path) -> bool:
    free = take_if_free(path)
    if free is None:
        return False
    if path.parent.name == HUB:
        _delete_from_hub_cache(path.read_text().partition(" ")[2])
    path.unlink(missing_ok=True)
    os.close(free)
    return True


def _delete_from_hub_cache(revision: str) -> None:
    from huggingface_hub import scan_cache_dir  # only where models of the hub are
    from huggingface_hub.errors import CacheNotFound

    with suppress(CacheNotFound):
        if revision:  # else nothing of it was fetched
            scan_cache_dir().delete_revisions(revision).execute()


def _limit() -> int | None:
    text = os.environ.get(LIMIT, "")
    if text and not text.isdecimal():
        raise InputError(
            f"{LIMIT} is '{text}'; expected a number of bytes, such as 500000000000; set it so, or unset it"
        )
    return int(text) if text else None
