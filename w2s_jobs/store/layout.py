"""Where the files of an artifact lie under a store's root. Shared by every store."""

from __future__ import annotations

from w2s_jobs.contracts.artifact import ArtifactRef, FileEntry, Input, StepResult
from w2s_jobs.contracts.errors import InputError

__all__ = ["LOGS", "PROGRESS", "RESULT", "attempt_path", "folder", "part_path", "select_entries"]

RESULT = "result.json"
PROGRESS = "progress.json"
LOGS = "logs/"


def folder(ref: ArtifactRef) -> str:
    """Return the artifact's folder, relative to the root."""
    return f"{ref.kind}/{ref.key}"


def attempt_path(attempt: str, name: str) -> str:
    """Return the path of a file of an attempt, relative to the artifact's folder."""
    return f"attempts/{attempt}/{name}"


def part_path(name: str) -> str:
    """Return the path of a part, relative to the artifact's folder."""
    return f"parts/{name}"


def select_entries(result: StepResult | None, item: Input) -> list[FileEntry]:
    """Return the entries that an input names: one file, or all under a folder (name ending in `/`).

    Raises
    ------
    InputError
        The artifact is not there, or holds no such file.
    """
    if result is None:
        raise InputError(
            f"artifact {item.ref} does not exist, but a step needs its {item.file}; "
            "run the experiment again: it makes what is missing"
        )
    if item.file.endswith("/"):
        entries = [e for e in result.files if e.name.startswith(item.file)]
    else:
        entries = [e for e in result.files if e.name == item.file]
    if not entries:
        names = ", ".join(sorted(e.name for e in result.files)[:8])
        raise InputError(f"artifact {item.ref} has no {item.file}; it has: {names or 'no files'}")
    return entries
