"""A family put together from its parts: how a record becomes a row, and in which domain its answers lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.core.answers.domain import AnswerDomain
from w2s_jobs.tasks.family import BadRecordError, Row
from w2s_jobs.tasks.reasoning import has_reasoning

__all__ = ["RecordFamily", "text_of"]

Numbered = tuple[int, Any]
"""A record with its line number."""


def _as_they_are(records: Iterable[Numbered]) -> Iterator[Numbered]:
    yield from records


@dataclass(frozen=True)
class RecordFamily:
    """A `TaskFamily` of records that are read, not generated."""

    name: str
    train_files: tuple[str, ...]
    test_files: tuple[str, ...]
    read: Callable[[Mapping[str, Any]], Row]
    """turns a raw record into a row, or raises BadRecordError"""
    answers: AnswerDomain
    explained: bool
    """completions explain before they answer; where the data has no explanations, every valid answer passes"""
    join: Callable[[Iterable[Numbered]], Iterator[Numbered]] = _as_they_are
    """makes one record of the lines that belong to one question"""
    partial_credit: Callable[[str | None, str], float] | None = None
    """score of an answer (None is invalid) against gold in [0, 1], beside exact match"""

    def generate(self) -> Iterator[Row]:
        """Records are read."""
        raise InputError(f"dataset.source.generated: {self.name} has no grammar; name a path, s3 or hub source")

    def parse(self, record: Mapping[str, Any]) -> Row:
        """Read a record. The row's answer is canonical."""
        return self.read(record)

    def extract(self, text: str) -> str | None:
        """Find the final answer as the domain does."""
        return self.answers.extract(text)

    def canonical(self, answer: str) -> str | None:
        """Return the domain's canonical form."""
        return self.answers.canonical(answer)

    def equal(self, a: str, b: str) -> bool:
        """Compare canonical forms; what has none equals nothing."""
        left = self.answers.canonical(a)
        return left is not None and left == self.answers.canonical(b)

    def credit(self, answer: str | None, gold: str) -> float | None:
        """Score an answer in [0, 1], where the family gives partial credit."""
        return None if self.partial_credit is None else self.partial_credit(answer, gold)

    def is_chain_of_thought(self, text: str) -> bool:
        """Reasoning stands before the answer, where the data explains; else every valid answer counts as one."""
        return has_reasoning(text) if self.explained else self.extract(text) is not None

    def format_answer(self, answer: str) -> str:
        """Write the bare answer as the domain does."""
        return self.answers.write(answer)


def text_of(record: Mapping[str, Any], field: str) -> str:
    """Return a field's text without blanks around it, or raise BadRecordError that names it."""
    value = record.get(field)
    if not isinstance(value, str) or not value.strip():
        raise BadRecordError(f"{field}: expected a text; got {value!r:.60}")
    return value.strip()
