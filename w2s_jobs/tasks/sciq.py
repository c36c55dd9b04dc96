"""SciQ: science exam questions with four options (Welbl et al. 2017)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from w2s_jobs.core.answers.labels import Label
from w2s_jobs.tasks.family import BadRecordError, Row
from w2s_jobs.tasks.multiple_choice import choice_row
from w2s_jobs.tasks.record_family import RecordFamily, text_of

__all__ = ["sciq"]

_OPTIONS = 4
_INSTRUCTION = re.compile(
    r"question: (?P<question>.*?)\s+"
    + r"\s+".join(rf"Answer{number}: (?P<option{number}>.*?)" for number in range(1, _OPTIONS + 1))
    + r"\s+Answer format:",
    re.DOTALL,
)


def sciq() -> RecordFamily:
    """Make the family. The supporting paragraph is left out of the question: it often holds the answer."""
    return RecordFamily(
        name="sciq",
        train_files=("train.json", "train.jsonl", "train.parquet"),
        test_files=("test.json", "test.jsonl", "test.parquet"),
        read=_read,
        answers=Label(_OPTIONS),
        explained=False,
    )


def _read(record: Mapping[str, Any]) -> Row:
    """Read the original fields, the copy with a list of distractors, or the copy written as an instruction."""
    if "instruction" in record:
        return _read_instruction(record)
    question, right = text_of(record, "question"), text_of(record, "correct_answer")
    wrong = record.get("distractors") or [record.get(f"distractor{number}") for number in range(1, _OPTIONS)]
    if not isinstance(wrong, list) or len(wrong) != _OPTIONS - 1 or not all(isinstance(x, str) and x for x in wrong):
        raise BadRecordError(f"distractors: expected {_OPTIONS - 1} texts; got {wrong!r:.60}")
    if right in wrong:
        raise BadRecordError(f"distractors: expected none that is the right answer {right!r:.40}; got {wrong!r:.100}")
    # The records list the right answer apart, so the order is drawn: from the question, to stay the same everywhere.
    options = sorted([right, *wrong], key=lambda text: hashlib.sha256(f"{question}\n{text}".encode()).digest())
    return choice_row(question, options, options.index(right))


def _read_instruction(record: Mapping[str, Any]) -> Row:
    match = _INSTRUCTION.search(text_of(record, "instruction"))
    if match is None:
        raise BadRecordError(
            f"instruction: expected a question and Answer1 to Answer4; got {record['instruction']!r:.80}"
        )
    answer = Label(_OPTIONS).extract(text_of(record, "answer"))
    if answer is None:
        raise BadRecordError(f"answer: expected answer1 to answer4; got {record['answer']!r:.60}")
    options = [match[f"option{number}"].strip() for number in range(1, _OPTIONS + 1)]
    return choice_row(match["question"].strip(), options, ord(answer) - ord("A"))
