"""ECQA: CommonsenseQA with a written explanation (Aggarwal et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from w2s_jobs.core.answers.labels import Label
from w2s_jobs.tasks.family import BadRecordError, Row
from w2s_jobs.tasks.multiple_choice import choice_row
from w2s_jobs.tasks.record_family import RecordFamily, text_of

__all__ = ["ecqa"]

_OPTIONS = 5


def ecqa() -> RecordFamily:
    """Make the family. The authors' script writes train, val and test; the shared copy has no train file."""
    return RecordFamily(
        name="ecqa",
        train_files=("cqa_data_train.csv", "cqa_data_val.csv"),
        test_files=("cqa_data_test.csv", "cqa_data_test.head700.csv"),
        read=_read,
        answers=Label(_OPTIONS),
        explained=True,
    )


def _read(record: Mapping[str, Any]) -> Row:
    options = [text_of(record, f"q_op{number}") for number in range(1, _OPTIONS + 1)]
    right = text_of(record, "q_ans")
    # The gold is an option's text; a question in which two options have that text has no one right letter.
    if options.count(right) != 1:
        raise BadRecordError(f"q_ans: expected the text of exactly one option; got {right!r:.60}")
    return choice_row(text_of(record, "q_text"), options, options.index(right), text_of(record, "taskB"))
