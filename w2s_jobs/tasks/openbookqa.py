"""OpenBookQA: elementary science with four options (Mihaylov et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from w2s_jobs.core.answers.labels import Label
from w2s_jobs.tasks.family import Row
from w2s_jobs.tasks.multiple_choice import read_choices
from w2s_jobs.tasks.record_family import RecordFamily

__all__ = ["openbookqa"]

_OPTIONS = 4


def openbookqa() -> RecordFamily:
    """Make the family. The book's fact is not part of the question, in either file layout (main, complete)."""
    return RecordFamily(
        name="openbookqa",
        train_files=("train.jsonl", "train_complete.jsonl", "train.head2000.jsonl"),
        test_files=("test.jsonl", "test_complete.jsonl", "test.head300.jsonl"),
        read=_read,
        answers=Label(_OPTIONS),
        explained=False,
    )


def _read(record: Mapping[str, Any]) -> Row:
    return read_choices(record, _OPTIONS)
