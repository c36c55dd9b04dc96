"""A manifest's file to an experiment and its plan: what every command starts with."""

from __future__ import annotations

from pathlib import Path

from controller.api.parse import locate, parse_manifest
from controller.api.v1alpha1 import WeakToStrongExperiment
from controller.cli.pin import pin_paths
from controller.errors import DoesNotFit, InvalidExperiment
from controller.plan.compile import compile_plan
from controller.plan.graph import Plan

__all__ = ["read_experiment", "read_plan"]


def read_experiment(file: Path) -> WeakToStrongExperiment:
    """Read, check and pin a manifest.

    Raises
    ------
    InvalidExperiment
        The file cannot be read, or something in it is wrong. Holds every problem.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidExperiment(
            str(file), [f"byte {error.start}: not UTF-8. Save the manifest as UTF-8 text"]
        ) from None
    except OSError as error:
        raise InvalidExperiment(str(file), [f"cannot be read: {error.strerror}. Name a manifest"]) from None
    experiment = parse_manifest(text, str(file))
    pinned, problems = pin_paths(experiment, file.resolve().parent)
    if problems:
        raise InvalidExperiment(str(file), locate(problems, text))
    return pinned


def read_plan(file: Path) -> tuple[WeakToStrongExperiment, Plan]:
    """Read a manifest and compile it.

    Raises
    ------
    InvalidExperiment
        The file cannot be read, something in it is wrong, or a model fits nowhere on its pool.
    """
    experiment = read_experiment(file)
    try:
        return experiment, compile_plan(experiment)
    except DoesNotFit as error:
        lines = locate(error.found, file.read_text(encoding="utf-8"))
        raise DoesNotFit(str(file), lines, error.found) from None
