"""Locks that processes hold on files: across containers of one node, and given back by the kernel when a holder dies.

flock binds to the file itself, so a lock taken on a file that has meanwhile lost its name is nobody's: each of these
looks again, once it has the lock, whether the name still leads to the file.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["is_named", "share", "sole", "take_if_free"]


@contextmanager
def sole(path: Path) -> Iterator[int]:
    """Be the only one at work on what `path` stands for, after waiting for others; yields the open lock file.

    The file is made, and removed at the end. One that a killed process left is free.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if is_named(descriptor, path):
                break
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    try:
        yield descriptor
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def share(path: Path) -> int | None:
    """Open a file so that nobody takes it away until the descriptor is closed; None where there is no such file."""
    return _open_locked(path, fcntl.LOCK_SH)


def take_if_free(path: Path) -> int | None:
    """Open a file that nobody shares or is alone with; None where somebody does, or there is no such file."""
    return _open_locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _open_locked(path: Path, operation: int) -> int | None:
    try:
        # NFS makes a lock of a range of bytes of it, and takes an exclusive one only from who may write.
        descriptor = os.open(path, os.O_RDWR if operation & fcntl.LOCK_EX else os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, operation)
        if is_named(descriptor, path):
            return descriptor
    except BlockingIOError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def is_named(descriptor: int, path: Path) -> bool:
    """Tell whether a name still leads to an open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
