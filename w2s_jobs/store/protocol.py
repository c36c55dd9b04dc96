"""What every artifact store can do. Steps and the executor know this protocol and nothing of files or S3.

    <root>/<kind>/<key>/result.json                 written last, once (conditional put): proof that the step is done
    <root>/<kind>/<key>/attempts/<attempt>/<name>   data of one attempt; result.json names the winner
    <root>/<kind>/<key>/parts/<name>                data that a later attempt may go on from (chunks, checkpoints)
    <root>/<kind>/<key>/progress.json               how far the running attempt is; overwritten, never trusted
    <root>/<kind>/<key>/logs/<part>/<attempt>.log   last lines of each pod, for people; named in the order of starts

Errors: `DependencyError` when the store cannot be reached or is full, `InputError` when credentials are refused, a
needed artifact does not exist, or a file does not have the size and checksum that its result.json states.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from w2s_jobs.contracts.artifact import ArtifactRef, FileEntry, Input, LogName, Progress, StepResult

__all__ = ["ArtifactStore"]


class ArtifactStore(Protocol):
    """A place for artifacts. Every write is atomic: a reader sees all of a file or none of it."""

    def read_result(self, ref: ArtifactRef) -> StepResult | None:
        """Return the result of a finished step, or None when it is not finished."""

    def finished(self, refs: Iterable[ArtifactRef]) -> set[ArtifactRef]:
        """Return those of `refs` that have a result (asks for many at once)."""

    def find(self, kind: str, prefix: str) -> list[ArtifactRef]:
        """Return the artifacts of a kind, finished or not, whose key starts with `prefix`, sorted by key."""

    def write_result(self, result: StepResult) -> bool:
        """Publish a result if there is none yet. Return False when another attempt was first."""

    def fetch(self, item: Input, into: Path) -> Path:
        """Bring an input file or folder (name ending in `/`) to this machine, verified, and return its path.

        A folder store may return a path inside the store: callers must not write to it.
        """

    def put(self, ref: ArtifactRef, attempt: str, name: str, source: Path) -> FileEntry:
        """Store one file of an attempt under `name` and return its entry for the result."""

    def put_part(self, ref: ArtifactRef, name: str, source: Path) -> FileEntry:
        """Store one file that survives the attempt; the same name is overwritten."""

    def list_parts(self, ref: ArtifactRef, prefix: str = "") -> dict[str, int]:
        """Return the names of parts that start with `prefix`, with their sizes in bytes."""

    def get_part(self, ref: ArtifactRef, name: str, destination: Path) -> FileEntry:
        """Copy a part to `destination`. What it holds is for the caller to verify."""

    def delete_parts(self, ref: ArtifactRef, prefix: str) -> None:
        """Delete the parts that start with `prefix`."""

    def write_progress(self, ref: ArtifactRef, progress: Progress) -> None:
        """Overwrite progress.json."""

    def read_progress(self, ref: ArtifactRef) -> Progress | None:
        """Return the last progress written, or None."""

    def write_log(self, ref: ArtifactRef, name: LogName, text: bytes) -> None:
        """Overwrite the last part of a pod's log. Needs no room on this machine's disk where the store is remote."""

    def list_logs(self, ref: ArtifactRef) -> list[LogName]:
        """Return the logs that are kept: by part, and the last attempt of each last."""

    def read_log(self, ref: ArtifactRef, name: LogName) -> bytes:
        """Return a log that is kept."""

    def delete(self, ref: ArtifactRef) -> None:
        """Delete an artifact with all that belongs to it; result.json goes first."""
