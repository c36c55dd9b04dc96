"""SHA-256 of files, and the one message for data that is not what its result states."""

from __future__ import annotations

import hashlib
from pathlib import Path

from w2s_jobs.contracts.artifact import ArtifactRef, FileEntry
from w2s_jobs.contracts.errors import InputError

__all__ = ["file_entry", "make_again", "sha256_of", "verify_file"]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 (64 hex digits) of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_entry(name: str, path: str, source: Path) -> FileEntry:
    """Describe a local file as an entry of a result."""
    return FileEntry(name=name, path=path, size=source.stat().st_size, sha256=sha256_of(source))


def make_again(ref: ArtifactRef) -> str:
    """Say what to do about an artifact whose files are not what its result states."""
    return f"delete the artifact with `w2s invalidate {ref.kind}/{ref.key}` (and the run's --store) and run again"


def verify_file(ref: ArtifactRef, entry: FileEntry, found: Path) -> None:
    """Check a file against its entry.

    Raises
    ------
    InputError
        The file is missing, truncated or corrupted. Bad data is never passed on.
    """
    again = make_again(ref)
    if not found.is_file():
        raise InputError(f"artifact {ref}: file {entry.name} is missing at {found}; {again}")
    size = found.stat().st_size
    if size != entry.size:
        raise InputError(
            f"artifact {ref}: file {entry.name} is truncated or overwritten: "
            f"{size} bytes, expected {entry.size}; {again}"
        )
    digest = sha256_of(found)
    if digest != entry.sha256:
        raise InputError(
            f"artifact {ref}: file {entry.name} is corrupted: sha256 {digest}, expected {entry.sha256}; {again}"
        )
