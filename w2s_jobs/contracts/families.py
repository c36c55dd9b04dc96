"""The task families by name, with their sizes for estimates. A new family is one file in tasks and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

__all__ = ["FAMILIES", "FamilyFigures", "FamilyName"]


@dataclass(frozen=True)
class FamilyFigures:
    """Sizes of a task family, for estimates only: the real ones are known once `prepare` has run."""

    train_rows: int
    test_rows: int
    """0: test rows are taken from the one set of records"""
    prompt_tokens: int
    completion_tokens: int
    """mean of a worked answer"""


FAMILIES: Mapping[str, FamilyFigures] = {
    "scan": FamilyFigures(20_910, 0, 30, 60),
    "gsm8k": FamilyFigures(7473, 1319, 120, 150),
    "math": FamilyFigures(7500, 5000, 130, 300),
    "commonsenseqa": FamilyFigures(9741, 1221, 45, 5),
    "creak": FamilyFigures(10_176, 1371, 35, 22),
    "ecqa": FamilyFigures(7598, 2194, 45, 75),
    "esnli": FamilyFigures(549_367, 9824, 65, 25),
    "mctaco": FamilyFigures(561, 1332, 95, 7),
    "openbookqa": FamilyFigures(4957, 500, 45, 5),
    "sciq": FamilyFigures(11_679, 1000, 45, 5),
}
"""Each name is the name of its file in w2s_jobs/tasks. Rows are those of the published train and test sets."""

if TYPE_CHECKING:
    FamilyName = str
else:
    FamilyName = Literal[tuple(FAMILIES)]
    """A name of the table: the manifest's errors and reference list them."""
