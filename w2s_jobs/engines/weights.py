"""Are a model's weight files whole? Asked before an engine is started, so that every engine answers alike."""

from __future__ import annotations

import json
import math
from pathlib import Path

from safetensors import SafetensorError, safe_open

from w2s_jobs.contracts.errors import InputError

__all__ = ["check_weights", "count_weights"]

_INDEX = "model.safetensors.index.json"


def check_weights(folder: Path) -> None:
    """Check that each safetensors file opens (a cut one does not) and holds what the folder's index says.

    Raises
    ------
    InputError
        A file is damaged or missing, or lacks a tensor.
    """
    found = {file.name: _tensors(file) for file in sorted(folder.glob("*.safetensors"))}
    for name, wanted in _indexed(folder / _INDEX).items():
        if name not in found:
            raise InputError(f"model {folder}: {name} is missing, which {_INDEX} names; fetch the model again")
        if lacking := sorted(wanted - found[name]):
            raise InputError(
                f"model {folder}: {name} lacks {len(lacking)} tensors that {_INDEX} names, such as {lacking[0]}; "
                "fetch the model again"
            )


def count_weights(folder: Path) -> int:
    """Count the numbers in a model's weight files. How much memory each takes is for the engine that loads them."""
    count = 0
    for file in folder.glob("*.safetensors"):
        with safe_open(file, framework="numpy") as weights:
            count += sum(math.prod(weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118
    return count


def _tensors(file: Path) -> set[str]:
    try:
        with safe_open(file, framework="numpy") as weights:
            return set(weights.keys())
    except SafetensorError as error:
        raise InputError(f"model file {file} is damaged: {error}; fetch the model again") from error


def _indexed(index: Path) -> dict[str, set[str]]:
    """Return the tensors of each file; nothing where the model is one file and has no index."""
    if not index.is_file():
        return {}
    try:
        places = json.loads(index.read_text())["weight_map"]
    except (ValueError, KeyError) as error:
        raise InputError(f"model file {index} is damaged: {error}; fetch the model again") from error
    files: dict[str, set[str]] = {}
    for tensor, file in places.items():
        files.setdefault(file, set()).add(tensor)
    return files
