"""The families by name. A new family is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable

from w2s_jobs.contracts.settings import TaskSettings
from w2s_jobs.tasks.family import TaskFamily
from w2s_jobs.tasks.gsm8k import Gsm8k
from w2s_jobs.tasks.math import Math
from w2s_jobs.tasks.scan import Scan

__all__ = ["get_family"]

_FAMILIES: dict[str, Callable[[], TaskFamily]] = {"gsm8k": Gsm8k, "math": Math, "scan": Scan}


def get_family(task: TaskSettings) -> TaskFamily:
    """Return the family that the settings name."""
    return _FAMILIES[task.family]()
