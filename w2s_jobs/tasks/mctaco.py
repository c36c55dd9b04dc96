"""MC-TACO: temporal common sense; which of a question's candidates are plausible (Zhou et al. 2019).

A line of the data is one candidate. A question is all lines that share sentence and question, its answer the set of
the plausible ones, possibly none. Exact match asks for the whole set; F1 gives credit for a part (section 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from string import ascii_uppercase
from typing import Any

from w2s_jobs.core.answers.labels import NONE, LabelSet, render_options, set_f1
from w2s_jobs.tasks.family import BadRecordError, Row
from w2s_jobs.tasks.record_family import Numbered, RecordFamily, text_of

__all__ = ["mctaco"]

_COLUMNS = ("sentence", "question", "candidate", "label", "category")
_ANSWERS = LabelSet()


def mctaco() -> RecordFamily:
    """Make the family. The authors train on dev: there is no train set."""
    return RecordFamily(
        name="mctaco",
        train_files=("dev_3783.tsv",),
        test_files=("test_9442.tsv",),
        read=_read,
        answers=_ANSWERS,
        explained=False,
        join=_join,
        partial_credit=set_f1,
    )


def _join(records: Iterable[Numbered]) -> Iterator[Numbered]:
    """Yield one record a question, under its first line's number; what is no candidate passes as it is."""
    questions: dict[tuple[str, str], tuple[int, list[dict[str, Any]]]] = {}
    for number, record in records:
        cells = record.get("cells") if isinstance(record, dict) else None
        if not isinstance(cells, list) or len(cells) != len(_COLUMNS):
            yield number, record
            continue
        line = dict(zip(_COLUMNS, cells, strict=True))
        questions.setdefault((line["sentence"], line["question"]), (number, []))[1].append(line)
    for number, lines in questions.values():
        yield number, {"lines": lines}


def _read(record: Mapping[str, Any]) -> Row:
    lines = record.get("lines")
    if not isinstance(lines, list):
        cells = record.get("cells", record)
        raise BadRecordError(f"expected {len(_COLUMNS)} cells ({', '.join(_COLUMNS)}); got {cells!r:.80}")
    if len(lines) > len(ascii_uppercase):
        raise BadRecordError(f"candidate: expected at most {len(ascii_uppercase)} a question; got {len(lines)}")
    for line in lines:
        if line["label"] not in ("yes", "no"):
            raise BadRecordError(f"label: expected 'yes' or 'no'; got {line['label']!r:.60}")
    options = [text_of(line, "candidate") for line in lines]
    plausible = [letter for letter, line in zip(ascii_uppercase, lines, strict=False) if line["label"] == "yes"]
    answer = ", ".join(plausible) or NONE
    return Row(
        question=f"{text_of(lines[0], 'sentence')}\n{text_of(lines[0], 'question')}\n{render_options(options)}\n"
        "Which candidates are plausible? There may be several, or none.",
        answer=answer,
        completion=_ANSWERS.write(answer),
        topic=text_of(lines[0], "category"),
    )
