"""Checksums of large local files that have not changed since they were computed: a plan asks for them every time."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from contextlib import suppress
from pathlib import Path

from w2s_jobs.store.cache import FileCache
from w2s_jobs.store.checksum import sha256_of

__all__ = ["ChecksumCache"]

_LARGE = 1 << 20
"""Below this many bytes hashing is as quick as asking."""


class ChecksumCache:
    """A folder with one small file for each state of a file: its path, size, inode, and times of change.

    The time of the inode's change is among them, which no program can set back: a file that is overwritten and given
    its old time is another state. What steps read is hashed again in full; this serves plans only.
    """

    def __init__(self, root: Path, settle_seconds: float = 2.0) -> None:
        self.root = root
        self.settle_seconds = settle_seconds
        """a file that changed less than this ago may change again within one tick of its disk's clock"""

    @classmethod
    def of_this_machine(cls) -> ChecksumCache:
        """Return the cache inside the one of remote files."""
        return cls(FileCache.of_this_machine().root / "checksums")

    def sha256(self, path: Path) -> str:
        """Return the SHA-256 (64 hex digits) of a file."""
        state = path.stat()
        if state.st_size < _LARGE:
            return sha256_of(path)
        entry = self._entry(path, state)
        with suppress(OSError):
            known = entry.read_text()
            if len(known) == hashlib.sha256().digest_size * 2:
                return known
        digest = sha256_of(path)
        changed = max(state.st_mtime, state.st_ctime)
        if self._entry(path, path.stat()) == entry and time.time() - changed >= self.settle_seconds:
            with suppress(OSError):  # a home that cannot be written costs time only
                self._write(entry, digest)
        return digest

    def _entry(self, path: Path, state: os.stat_result) -> Path:
        told = (path.resolve(), state.st_size, state.st_dev, state.st_ino, state.st_mtime_ns, state.st_ctime_ns)
        return self.root / hashlib.sha256(repr(told).encode()).hexdigest()

    def _write(self, entry: Path, digest: str) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        staged = self.root / f".{uuid.uuid4().hex}"
        staged.write_text(digest)
        staged.replace(entry)
