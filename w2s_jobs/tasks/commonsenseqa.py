"""CommonsenseQA: everyday questions with five options (Talmor et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from w2s_jobs.core.answers.labels import Label
from w2s_jobs.tasks.family import Row
from w2s_jobs.tasks.multiple_choice import read_choices
from w2s_jobs.tasks.record_family import RecordFamily

__all__ = ["commonsenseqa"]

_OPTIONS = 5


def commonsenseqa() -> RecordFamily:
    """Make the family. The published test set has no answers, so dev is the test set."""
    return RecordFamily(
        name="commonsenseqa",
        train_files=("train_rand_split.jsonl", "train.jsonl", "train.parquet", "train.head3000.jsonl"),
        test_files=("dev_rand_split.jsonl", "valid.jsonl", "validation.parquet", "valid.head700.jsonl"),
        read=_read,
        answers=Label(_OPTIONS),
        explained=False,
    )


def _read(record: Mapping[str, Any]) -> Row:
    return read_choices(record, _OPTIONS)
