"""Checkpoints of a training in the store; complete is one whose manifest is there and whose files are as it says.

    parts/checkpoints/step-000123/<file>           what the trainer saved, on whichever node
    parts/checkpoints/step-000123/manifest.json    written last

An older checkpoint is deleted once a newer one is complete, so there is always one to go back to.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from w2s_jobs.context import StepContext
from w2s_jobs.contracts.artifact import FileEntry
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.model import Contract

__all__ = ["complete_checkpoint", "fetch_newest_checkpoint", "store_files"]

log = logging.getLogger(__name__)

PREFIX = "checkpoints/"
MANIFEST = "manifest.json"


class CheckpointManifest(Contract):
    """What a complete checkpoint holds."""

    step: int
    """step after which it was saved: optimizer steps done"""
    layout: str
    """layout of the optimizer's state (ZeRO stage and ranks); only the same layout can go on from it"""
    files: tuple[FileEntry, ...]


def store_files(context: StepContext, folder: Path, step: int) -> list[FileEntry]:
    """Store what this node has saved of a checkpoint; the checkpoint is not there before it is complete."""
    return [
        context.store.put_part(context.ref, _prefix(step) + path.relative_to(folder).as_posix(), path).model_copy(
            update={"name": path.relative_to(folder).as_posix()}
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def complete_checkpoint(context: StepContext, step: int, layout: str, files: Sequence[FileEntry]) -> None:
    """Write the manifest over the stored files of all nodes, then delete older checkpoints."""
    name = _prefix(step)
    older = {_folder_of(part) for part in context.store.list_parts(context.ref, PREFIX)} - {name}
    ordered = tuple(sorted(files, key=lambda entry: entry.name))
    manifest = CheckpointManifest(step=step, layout=layout, files=ordered)
    context.work_dir.mkdir(parents=True, exist_ok=True)
    written = context.work_dir / f"checkpoint-{step}.{MANIFEST}"
    written.write_text(manifest.model_dump_json(by_alias=True))
    context.store.put_part(context.ref, name + MANIFEST, written)
    written.unlink()
    for prefix in sorted(older):
        context.store.delete_parts(context.ref, prefix)


def fetch_newest_checkpoint(context: StepContext, layout: str, into: Path) -> Path | None:
    """Fetch the newest complete checkpoint with this layout, or return None; broken ones are passed over."""
    parts = context.store.list_parts(context.ref, PREFIX)
    for prefix in sorted({_folder_of(part) for part in parts}, reverse=True):
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir(parents=True)
        try:
            if prefix + MANIFEST not in parts:
                raise InputError("it has no manifest: the attempt ended while it was being stored")
            manifest = _fetch(context, prefix, layout, into)
        except InputError as problem:
            log.warning("checkpoint %s is passed over: %s", prefix.rstrip("/"), problem)
            continue
        log.info("going on from the checkpoint after step %d", manifest.step)
        return into
    return None


def _fetch(context: StepContext, prefix: str, layout: str, into: Path) -> CheckpointManifest:
    written = into / MANIFEST
    context.store.get_part(context.ref, prefix + MANIFEST, written)
    try:
        manifest = CheckpointManifest.model_validate_json(written.read_bytes())
    except ValidationError as error:
        raise InputError(f"its manifest is not readable ({error.error_count()} problems)") from error
    written.unlink()
    if manifest.layout != layout:
        raise InputError(f"it was saved with {manifest.layout}, this attempt trains with {layout}")
    for entry in manifest.files:
        destination = into / entry.name
        destination.parent.mkdir(parents=True, exist_ok=True)
        found = context.store.get_part(context.ref, prefix + entry.name, destination)
        if (found.size, found.sha256) != (entry.size, entry.sha256):
            raise InputError(f"{entry.name} has {found.size} bytes, sha256 {found.sha256}; the manifest says otherwise")
    return manifest


def _prefix(step: int) -> str:
    return f"{PREFIX}step-{step:06d}/"


def _folder_of(part: str) -> str:
    return "/".join(PurePosixPath(part).parts[:2]) + "/"
