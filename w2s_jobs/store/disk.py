"""Errors of the local disk, said in our words."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from w2s_jobs.contracts.errors import DependencyError, InputError

__all__ = ["disk_errors", "translate_os_error"]

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}


def translate_os_error(error: OSError, path: Path) -> DependencyError | InputError:
    """Turn an OSError at a path into one of our errors."""
    if error.errno in _FULL:
        return DependencyError(
            f"no space left at {path} ({_free(path)} bytes free): {error.strerror}; "
            "free some space there or choose another folder, then run again"
        )
    if error.errno in _REFUSED:
        return InputError(
            f"cannot write at {path}: {error.strerror}; check the folder's owner and mode, or choose another --store"
        )
    return DependencyError(f"the disk failed at {path}: {error}; run again when it is well")


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Translate every OSError inside the block."""
    try:
        yield
    except OSError as error:
        raise translate_os_error(error, path) from error


def _free(path: Path) -> str:
    for place in (path, *path.parents):
        if place.exists():
            return f"{shutil.disk_usage(place).free:,}"
    return "unknown"
