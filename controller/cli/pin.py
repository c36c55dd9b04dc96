"""Pins what a manifest names by a local path: makes the path absolute and fills in the SHA-256 of what lies there.

This is the only look at data before a plan is made, so that changed data is a changed key.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from controller.api.document import Path as FieldPath
from controller.api.problems import Problem
from controller.api.v1alpha1 import Capability, StrongModel, WeakModel, WeakToStrongExperiment
from w2s_jobs.contracts.settings import DatasetSource, ModelSource
from w2s_jobs.store.checksum_cache import ChecksumCache
from w2s_jobs.store.model_folder import model_folder_sha256
from w2s_jobs.store.records import SUFFIXES

__all__ = ["pin_paths"]

_DATA_FILES = tuple(f"*{suffix}{packed}" for suffix in SUFFIXES for packed in ("", ".gz"))
_MOST_FILES = 16


class _NotPinned(Exception):
    """A path that cannot be pinned."""

    def __init__(self, field: FieldPath, message: str) -> None:
        self.problem: Problem = (field, message)
        super().__init__(message)


def pin_paths(experiment: WeakToStrongExperiment, folder: Path) -> tuple[WeakToStrongExperiment, list[Problem]]:
    """Pin the dataset and both models; relative paths start at `folder`, where the manifest lies.

    Returns
    -------
    tuple
        The pinned experiment, and a problem for each path that cannot be pinned.
    """
    problems: list[Problem] = []
    spec = experiment.spec
    tasks = [_pinned_task(place, one, folder, problems) for place, one in spec.placed_tasks]
    models = [_pinned_model(place, model, folder, problems) for place, _, model in spec.models.placed]
    if spec.capabilities:
        changed = spec.model_copy(update={"capabilities": tuple(tasks)})
    else:
        changed = spec.model_copy(update={"dataset": tasks[0].dataset})
    chosen = {"chain": tuple(models)} if spec.models.chain else dict(zip(("weak", "strong"), models, strict=True))
    changed = changed.model_copy(update={"models": spec.models.model_copy(update=chosen)})
    return experiment.model_copy(update={"spec": changed}), problems


def _pinned_task(place: FieldPath, task: Capability, folder: Path, problems: list[Problem]) -> Capability:
    try:
        source = _dataset(task.dataset.source, folder, ("spec", *place, "dataset", "source"))
    except _NotPinned as error:
        problems.append(error.problem)
        return task
    return task.model_copy(update={"dataset": task.dataset.model_copy(update={"source": source})})


def _pinned_model(
    place: FieldPath, model: WeakModel | StrongModel, folder: Path, problems: list[Problem]
) -> WeakModel | StrongModel:
    try:
        source = _model(model.source, folder, ("spec", "models", *place, "source"))
    except _NotPinned as error:
        problems.append(error.problem)
        return model
    return model.model_copy(update={"source": source})


def _dataset(source: DatasetSource, manifest_folder: Path, here: FieldPath) -> DatasetSource:
    if source.path is None:
        return source
    folder = _absolute(source.path, manifest_folder)
    if not folder.is_dir():
        raise _NotPinned((*here, "path"), f"{source.path!r} is no folder ({folder}). Put the data files there")
    found = {name: _pin_file(folder, name, field, here) for name, field in _wanted(source, folder, here)}
    for name, expected in source.sha256.items():
        if found.get(name) != expected:
            got = f"has {found[name]}" if name in found else "is not there"
            raise _NotPinned(
                (*here, "sha256", name),
                f"expected {expected}; {folder / name} {got}. Get that file, or correct the sum",
            )
    return source.model_copy(update={"path": str(folder), "sha256": found})


def _wanted(source: DatasetSource, folder: Path, here: FieldPath) -> Iterator[tuple[str, str]]:
    """Yield the names of the files to pin, each with the field that names it."""
    if source.pool is not None:
        yield source.pool, "pool"
        return
    if source.train is not None and source.test is not None:
        yield source.train, "train"
        yield source.test, "test"
        return
    names = sorted({path.name for pattern in _DATA_FILES for path in folder.glob(pattern)})
    if not names:
        raise _NotPinned(
            (*here, "path"), f"{folder} holds no {', '.join(SUFFIXES)} or .gz of one. Name the right folder"
        )
    named = [name for name in (source.train, source.test) if name is not None]
    names = sorted({*names, *named})
    if len(names) > _MOST_FILES:
        raise _NotPinned(
            (*here, "path"), f"{folder} holds {len(names)} data files. Name those to read in train and test"
        )
    for name in names:
        yield name, "train" if name == source.train else "test" if name == source.test else "path"


def _pin_file(folder: Path, name: str, field: str, here: FieldPath) -> str:
    try:
        return ChecksumCache.of_this_machine().sha256(folder / name)
    except OSError as error:
        raise _NotPinned((*here, field), f"{name!r} cannot be read in {folder}: {error.strerror}") from None


def _model(source: ModelSource, manifest_folder: Path, here: FieldPath) -> ModelSource:
    if source.path is None:
        return source
    folder = _absolute(source.path, manifest_folder)
    if not (folder / "config.json").is_file():
        raise _NotPinned(
            (*here, "path"),
            f"{source.path!r} is no model folder: {folder / 'config.json'} does not exist. "
            "Put a model in Hugging Face layout there, or name its folder",
        )
    try:
        digest = model_folder_sha256(folder, ChecksumCache.of_this_machine().sha256)
    except OSError as error:
        raise _NotPinned((*here, "path"), f"{error.filename} cannot be read: {error.strerror}") from None
    if source.sha256 is not None and source.sha256 != digest:
        raise _NotPinned(
            (*here, "sha256"),
            f"{source.sha256} is expected, but {folder} has {digest}. Get the right model, or correct the sum",
        )
    return source.model_copy(update={"path": str(folder), "sha256": digest})


def _absolute(path: str, manifest_folder: Path) -> Path:
    return (manifest_folder / Path(path).expanduser()).resolve()
