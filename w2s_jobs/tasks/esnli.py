"""e-SNLI: does a premise entail a hypothesis, with an explanation (Camburu et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from w2s_jobs.core.answers.words import ClassName
from w2s_jobs.tasks.family import BadRecordError, Row
from w2s_jobs.tasks.record_family import RecordFamily, text_of

__all__ = ["esnli"]

_LABELS = ("entailment", "neutral", "contradiction")
_ANSWERS = ClassName(
    {
        "entailment": ("entails", "entailed"),
        "neutral": (),
        "contradiction": ("contradicts", "contradicted", "contradictory"),
    }
)


def esnli() -> RecordFamily:
    """Make the family. It reads the repository's own fields and those of the copies with the original text."""
    return RecordFamily(
        name="esnli",
        train_files=("esnli_train.csv", "train.jsonl", "original_text_train988.jsonl"),
        test_files=("esnli_test.csv", "test.jsonl", "original_text_dev.head600.jsonl"),
        read=_read,
        answers=_ANSWERS,
        explained=True,
    )


def _read(record: Mapping[str, Any]) -> Row:
    if "premise" in record:
        premise, hypothesis, label = text_of(record, "premise"), text_of(record, "hypothesis"), record.get("label")
        listed = record.get("explanations")
        first = listed[0] if isinstance(listed, list) and listed else None
        if not isinstance(first, dict):
            raise BadRecordError(f"explanations: expected a list with one object or more; got {listed!r:.60}")
        explanation = text_of(first, "text_explanation")
    else:
        fields = {name.lower().replace("_", ""): value for name, value in record.items() if isinstance(name, str)}
        premise, hypothesis = text_of(fields, "sentence1"), text_of(fields, "sentence2")
        label, explanation = fields.get("goldlabel"), text_of(fields, "explanation1")
    if label not in _LABELS:
        raise BadRecordError(f"label: expected one of {', '.join(_LABELS)}; got {label!r:.60}")
    return Row(
        question=f"Premise: {premise}\nHypothesis: {hypothesis}\n"
        "Is the relation of the premise to the hypothesis entailment, neutral or contradiction?",
        answer=label,
        completion=f"{explanation}\n{_ANSWERS.write(label)}",
    )
