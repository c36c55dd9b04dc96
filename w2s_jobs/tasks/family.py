"""What a task family decides: records, prompts aside, everything that makes one dataset different from another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

__all__ = ["BadRecordError", "GivesPartialCredit", "JoinsRecords", "Row", "TaskFamily"]


class BadRecordError(ValueError):
    """A record that is not what the family expects. The message says which field, its value, and what was expected."""


@dataclass(frozen=True)
class Row:
    """One question with its gold."""

    question: str
    answer: str
    """final answer, normalised"""
    completion: str
    """text to learn from: worked solution that ends in the answer in the family's format"""
    level: int | None = None
    topic: str | None = None


class TaskFamily(Protocol):
    """One dataset family; one file each."""

    name: str
    train_files: tuple[str, ...]
    """usual file names of the train records, first found wins"""
    test_files: tuple[str, ...]

    def generate(self) -> Iterator[Row]:
        """Make all records from nothing, in a fixed order. Raises InputError where the family is not generated."""

    def parse(self, record: Mapping[str, Any]) -> Row:
        """Turn a raw record into a row, or raise BadRecordError."""

    def extract(self, text: str) -> str | None:
        """Return the final answer of a completion, normalised, or None when there is no valid one."""

    def equal(self, a: str, b: str) -> bool:
        """Tell whether two extracted answers mean the same; symmetric, within a time limit, never raises."""

    def canonical(self, answer: str) -> str | None:
        """Return a string that is the same for all answers known to be equal without comparison, or None.

        Votes group by it first: `equal` is asked only for answers that have none (pairs of mathematical expressions).
        """

    def is_chain_of_thought(self, text: str) -> bool:
        """Tell whether the text reasons before its final answer."""

    def format_answer(self, answer: str) -> str:
        """Write a bare final answer as a completion without chain of thought."""


@runtime_checkable
class JoinsRecords(Protocol):
    """A family whose questions may stand on several lines of a file."""

    def join(self, records: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """Turn (line, record) pairs into those that `parse` reads, one a question."""


@runtime_checkable
class GivesPartialCredit(Protocol):
    """A family that may score answers finer than right or wrong."""

    def credit(self, answer: str | None, gold: str) -> float | None:
        """Score an answer (None is invalid) in [0, 1]; None where the family knows exact match only."""
