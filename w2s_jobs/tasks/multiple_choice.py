"""What families of lettered options share: a row of a question, its options, and the right one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from w2s_jobs.core.answers.labels import Label, render_options
from w2s_jobs.tasks.family import BadRecordError, Row
from w2s_jobs.tasks.record_family import text_of

__all__ = ["choice_row", "read_choices"]


def choice_row(question: str, options: Sequence[str], right: int, explanation: str | None = None) -> Row:
    """Make the row of a question whose right option is number `right` (from 0)."""
    answer = ascii_uppercase[right]
    stated = Label(len(options)).write(answer)
    return Row(
        question=f"{question}\n{render_options(options)}",
        answer=answer,
        completion=f"{explanation}\n{stated}" if explanation else stated,
    )


def read_choices(record: Mapping[str, Any], count: int) -> Row:
    """Read the layout of AI2: {"question": {"stem", "choices": [{"label", "text"}]}, "answerKey"}."""
    question = record.get("question")
    if not isinstance(question, dict):
        raise BadRecordError(f"question: expected an object with stem and choices; got {question!r:.60}")
    choices = question.get("choices")
    letters = ascii_uppercase[:count]
    found = [c.get("label") if isinstance(c, dict) else None for c in choices] if isinstance(choices, list) else None
    if found != list(letters):
        raise BadRecordError(f"question.choices: expected the labels {', '.join(letters)} in order; got {found!r:.60}")
    options = [text_of(choice, "text") for choice in question["choices"]]
    key = record.get("answerKey")
    if not isinstance(key, str) or len(key) != 1 or key not in letters:
        raise BadRecordError(f"answerKey: expected one of {', '.join(letters)}; got {key!r:.60}")
    return choice_row(text_of(question, "stem"), options, letters.index(key))
