"""Artifacts in a local folder (`file://`). Every write is a rename, so a reader sees all of a file or none of it."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from w2s_jobs.contracts.artifact import ArtifactRef, FileEntry, Input, LogName, Progress, StepResult
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.store.checksum import file_entry, verify_file
from w2s_jobs.store.disk import disk_errors
from w2s_jobs.store.layout import LOGS, PROGRESS, RESULT, attempt_path, folder, part_path, select_entries

__all__ = ["FolderStore"]

_KEY = re.compile("[0-9a-f]{64}")


class FolderStore:
    """A store in a folder. Safe for any number of processes on one machine."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read_result(self, ref: ArtifactRef) -> StepResult | None:
        """Return the result of a finished step, or None."""
        path = self._folder(ref) / RESULT
        try:
            return StepResult.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise InputError(
                f"artifact {ref}: {path} is not a readable result ({error.error_count()} problems); "
                f"delete the artifact with `w2s invalidate {ref.kind}/{ref.key}` and run again"
            ) from error

    def finished(self, refs: Iterable[ArtifactRef]) -> set[ArtifactRef]:
        """Return those that have a result."""
        return {ref for ref in refs if (self._folder(ref) / RESULT).is_file()}

    def find(self, kind: str, prefix: str) -> list[ArtifactRef]:
        """Return the artifacts of a kind whose key starts with `prefix`."""
        keys = sorted(path.name for path in (self.root / kind).glob("*") if path.name.startswith(prefix))
        return [ArtifactRef(kind=kind, key=key) for key in keys if _KEY.fullmatch(key)]

    def write_result(self, result: StepResult) -> bool:
        """Publish a result once: of several writers exactly one gets True."""
        target = self._folder(result.ref) / RESULT
        with self._staged(target) as staged:
            staged.write_text(result.model_dump_json(by_alias=True, indent=1))
            _sync(staged)
            try:
                os.link(staged, target)  # unlike a rename, a link fails where the target exists
            except FileExistsError:
                return False
        _sync_folder(target.parent)
        return True

    def fetch(self, item: Input, into: Path) -> Path:
        """Return the verified path inside the store; `into` is used only when the files lie apart."""
        entries = select_entries(self.read_result(item.ref), item)
        home = self._folder(item.ref)
        for entry in entries:
            verify_file(item.ref, entry, home / entry.path)
        if not item.file.endswith("/"):
            return home / entries[0].path
        suffixes = {e.path.removesuffix(e.name.removeprefix(item.file)) for e in entries}
        if len(suffixes) == 1:
            return home / suffixes.pop()
        for entry in entries:
            link = into / entry.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to((home / entry.path).resolve())
        return into / item.file

    def put(self, ref: ArtifactRef, attempt: str, name: str, source: Path) -> FileEntry:
        """Store one file of an attempt."""
        return self._copy_in(ref, attempt_path(attempt, name), name, source)

    def put_part(self, ref: ArtifactRef, name: str, source: Path) -> FileEntry:
        """Store one file that survives the attempt."""
        return self._copy_in(ref, part_path(name), name, source)

    def list_parts(self, ref: ArtifactRef, prefix: str = "") -> dict[str, int]:
        """Return names and sizes of the parts that start with `prefix`."""
        home = self._folder(ref) / "parts"
        found = {
            str(path.relative_to(home)): path.stat().st_size
            for path in home.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        }
        return {name: size for name, size in sorted(found.items()) if name.startswith(prefix)}

    def get_part(self, ref: ArtifactRef, name: str, destination: Path) -> FileEntry:
        """Copy a part to `destination`."""
        source = self._folder(ref) / part_path(name)
        if not source.is_file():
            raise InputError(f"artifact {ref}: part {name} is missing at {source}; run again to make it")
        with disk_errors(destination):
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, destination)
        return file_entry(name, part_path(name), destination)

    def delete_parts(self, ref: ArtifactRef, prefix: str) -> None:
        """Delete the parts that start with `prefix`, and folders that this leaves empty."""
        for name in self.list_parts(ref, prefix):
            path = self._folder(ref) / part_path(name)
            path.unlink(missing_ok=True)
            if not any(path.parent.iterdir()):
                path.parent.rmdir()

    def write_progress(self, ref: ArtifactRef, progress: Progress) -> None:
        """Overwrite progress.json."""
        target = self._folder(ref) / PROGRESS
        with self._staged(target) as staged:
            staged.write_text(progress.model_dump_json(by_alias=True))
            staged.replace(target)

    def read_progress(self, ref: ArtifactRef) -> Progress | None:
        """Return the last progress written, or None where there is none to be read."""
        try:
            return Progress.model_validate_json((self._folder(ref) / PROGRESS).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def write_log(self, ref: ArtifactRef, name: LogName, text: bytes) -> None:
        """Overwrite the last part of a pod's log."""
        target = self._folder(ref) / LOGS / str(name)
        with self._staged(target) as staged:
            staged.write_bytes(text)
            staged.replace(target)

    def list_logs(self, ref: ArtifactRef) -> list[LogName]:
        """Return the logs that are kept."""
        home = self._folder(ref) / LOGS
        names = sorted(str(path.relative_to(home)) for path in home.glob("*/*"))
        return [name for name in map(LogName.parse, names) if name is not None]

    def read_log(self, ref: ArtifactRef, name: LogName) -> bytes:
        """Return a log that is kept."""
        with disk_errors(self.root):
            return (self._folder(ref) / LOGS / str(name)).read_bytes()

    def delete(self, ref: ArtifactRef) -> None:
        """Delete an artifact; result.json goes first, so that a reader never sees a result without its files."""
        (self._folder(ref) / RESULT).unlink(missing_ok=True)
        shutil.rmtree(self._folder(ref), ignore_errors=True)

    def _folder(self, ref: ArtifactRef) -> Path:
        return self.root / folder(ref)

    def _copy_in(self, ref: ArtifactRef, path: str, name: str, source: Path) -> FileEntry:
        target = self._folder(ref) / path
        with self._staged(target) as staged:
            shutil.copyfile(source, staged)
            entry = file_entry(name, path, staged)
            _sync(staged)
            staged.replace(target)
        return entry

    @contextmanager
    def _staged(self, target: Path) -> Iterator[Path]:
        """Give a temporary name beside the target; whatever is left there is removed."""
        staged = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        with disk_errors(self.root):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                yield staged
            finally:
                staged.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Put a file's bytes on the disk before its name appears: after a power cut a name never leads to nothing."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
