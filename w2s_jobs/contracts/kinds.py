"""The kinds of steps."""

from __future__ import annotations

from typing import Literal

__all__ = ["StepKind"]

StepKind = Literal[
    "prepare",
    "sample",
    "grade",
    "choose",
    "partition",
    "score",
    "select",
    "clean",
    "train",
    "evaluate",
    "report",
    "survey",
]
