"""Errors of the local disk, said in our words."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from w2s_jobs.contracts.errors import DependencyError, InputError

__all__ = ["disk_errors", "foreign_disk_errors", "translate_os_error"]

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_RUST_ERRNO = re.compile(r"\(os error (\d+)\)")
"""How libraries written in Rust (safetensors, tokenizers) say which errno they met."""
_TORCH_WRITE = "PytorchStreamWriter failed writing"
"""How torch.save says that it could not write, whatever the reason."""
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
            f"no access to {path}: {error.strerror}; "
            "check the folder's owner and mode, or choose another folder or --store"
        )
    return DependencyError(f"the disk failed at {path}: {error}; run again when it is well")


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Translate every OSError inside the block."""
    try:
        yield
    except OSError as error:
        raise translate_os_error(error, path) from error


@contextmanager
def foreign_disk_errors(path: Path) -> Iterator[None]:
    """Translate a full disk that a library reports as something else than an OSError; other errors pass unchanged."""
    try:
        yield
    except Exception as error:
        number = _full_disk_in(str(error))
        if number is None:
            raise
        raise translate_os_error(OSError(number, os.strerror(number)), path) from error


def _full_disk_in(message: str) -> int | None:
    if _TORCH_WRITE in message:
        return errno.ENOSPC
    match = _RUST_ERRNO.search(message)
    number = int(match[1]) if match else None
    return number if number in _FULL else None


def _free(path: Path) -> str:
    for place in (path, *path.parents):
        if place.exists():
            return f"{shutil.disk_usage(place).free:,}"
    return "unknown"
