"""The families by name: each file is named as its family, and exports the one thing that makes it."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from w2s_jobs.contracts.settings import TaskSettings
from w2s_jobs.tasks.family import TaskFamily

__all__ = ["get_family"]


def get_family(task: TaskSettings) -> TaskFamily:
    """Return the family that the settings name; the settings accept the names of contracts/families.py only."""
    module = import_module(f"w2s_jobs.tasks.{task.family}")
    (make,) = module.__all__
    return cast("TaskFamily", getattr(module, make)())
