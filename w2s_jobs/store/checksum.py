"""SHA-256 of files, and the one message for data that is not what its result states."""

from __future__ import annotations

import hashlib
from pathlib import Path

from w2s_jobs.contracts.artifact import ArtifactRef, FileEntry
from w2s_jobs.contracts.errors import InputError

__all__ = ["HashingFile", "file_entry", "sha256_of", "verify_file", "verify_sha256", "verify_size"]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 (64 hex digits) of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_entry(name: str, path: str, source: Path) -> FileEntry:
    """Describe a local file as an entry of a result."""
    return FileEntry(name=name, path=path, size=source.stat().st_size, sha256=sha256_of(source))


class HashingFile:
    """A file being written whose SHA-256 is known when its last byte is: nothing is read a second time."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("wb")
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        """Append bytes."""
        self._digest.update(data)
        self.size += len(data)
        return self._stream.write(data)

    def close(self) -> None:
        """Finish the file."""
        self._stream.close()

    @property
    def sha256(self) -> str:
        """The digest of what was written so far."""
        return self._digest.hexdigest()


def verify_file(ref: ArtifactRef, entry: FileEntry, found: Path) -> None:
    """Check a file against its entry.

    Raises
    ------
    InputError
        The file is missing, truncated or corrupted. Bad data is never passed on.
    """
    if not found.is_file():
        raise InputError(f"artifact {ref}: file {entry.name} is missing at {found}; {_again(ref)}")
    verify_size(ref, entry, found.stat().st_size)
    verify_sha256(ref, entry, sha256_of(found))


def verify_size(ref: ArtifactRef, entry: FileEntry, size: int) -> None:
    """Check a size in bytes against its entry; raises InputError."""
    if size != entry.size:
        raise InputError(
            f"artifact {ref}: file {entry.name} is truncated or overwritten: "
            f"{size} bytes, expected {entry.size}; {_again(ref)}"
        )


def verify_sha256(ref: ArtifactRef, entry: FileEntry, digest: str) -> None:
    """Check a digest against its entry; raises InputError."""
    if digest != entry.sha256:
        raise InputError(
            f"artifact {ref}: file {entry.name} is corrupted: sha256 {digest}, expected {entry.sha256}; {_again(ref)}"
        )


def _again(ref: ArtifactRef) -> str:
    return f"delete the artifact with `w2s invalidate {ref.kind}/{ref.key}` and run again"
