"""CREAK: claims about entities that are true or false, each with an explanation (Onoe et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from w2s_jobs.core.answers.words import ClassName
from w2s_jobs.tasks.family import BadRecordError, Row
from w2s_jobs.tasks.record_family import RecordFamily, text_of

__all__ = ["creak"]

_ANSWERS = ClassName(
    {
        "true": ("yes", "correct", "not false", "not incorrect"),
        "false": ("no", "incorrect", "not true", "untrue", "not correct"),
    }
)


def creak() -> RecordFamily:
    """Make the family. The published test set has no labels, so dev is the test set."""
    return RecordFamily(
        name="creak",
        train_files=("train.json", "train.jsonl", "train.head4000.json"),
        test_files=("dev.json", "dev.jsonl", "dev.head700.json"),
        read=_read,
        answers=_ANSWERS,
        explained=True,
    )


def _read(record: Mapping[str, Any]) -> Row:
    claim, label = text_of(record, "sentence"), record.get("label")
    if label not in ("true", "false"):
        raise BadRecordError(f"label: expected the text 'true' or 'false'; got {label!r:.60}")
    return Row(
        question=f"Claim: {claim}\nIs the claim true or false?",
        answer=label,
        completion=f"{text_of(record, 'explanation')}\n{_ANSWERS.write(label)}",
    )
