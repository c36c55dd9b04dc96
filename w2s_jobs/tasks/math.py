"""MATH: competition problems whose answer is a mathematical expression (Hendrycks et al. 2021)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.core.equality import equal_expressions
from w2s_jobs.core.latex import find_last_box, last_boxed, normalise
from w2s_jobs.core.numbers import canonical_number
from w2s_jobs.tasks.family import BadRecordError, Row
from w2s_jobs.tasks.reasoning import after_marker, answer_field, has_reasoning

__all__ = ["Math"]

_LEVEL = re.compile(r"[0-9]")
_FORMULA = r"(?<!\\)\$(?:\\.|[^$\\])+\$"
_FORMULAS = re.compile(rf"{_FORMULA}(?:\s*(?:,|(?:,\s*)?(?:and|or)\b)\s*{_FORMULA})*")
"""One formula, or several with a comma, `and` or `or` between"""
_DISPLAY = re.compile(r"\\[()\[\]]")
_DOLLAR = re.compile(r"(?<!\\)\$")
_PROSE = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}|[A-Za-z] [a-z]")
_SENTENCE_END = re.compile(r"\.\s+(?=[A-Z])")
_QUANTITY = re.compile(r"([+-]?[0-9][0-9,]*(?:\.[0-9]+)?)(?: [a-z]+){1,4}\.?")
_SOMETHING = re.compile(r"[0-9A-Za-z]")
"""An answer without a letter or a digit is left-over markup."""
_LONGEST = 50_000
_LONGEST_ANSWER = 1000


class Math:
    """The family of MATH. An answer is a LaTeX expression; equality is mathematical."""

    name = "math"
    train_files: tuple[str, ...] = ("train.jsonl", "train.parquet")
    test_files: tuple[str, ...] = ("test.jsonl", "test.parquet")

    def generate(self) -> Iterator[Row]:
        """MATH cannot be generated."""
        raise InputError("dataset.source.generated: MATH has no grammar; name a path, s3 or hub source")

    def parse(self, record: Mapping[str, Any]) -> Row:
        """Read {"problem", "solution" and/or "answer"/"final_answer", "level", "subject"/"type"}."""
        problem = record.get("problem")
        if not isinstance(problem, str) or not problem.strip():
            raise BadRecordError(f"problem: expected a text; got {problem!r:.60}")
        solution = record.get("solution")
        stated = record.get("answer", record.get("final_answer"))
        if stated is None and isinstance(solution, str):
            stated = last_boxed(solution)
        answer = normalise(str(stated)) if stated is not None else ""
        if not answer:
            raise BadRecordError("answer: expected an answer, or a solution with \\boxed{…}; got neither")
        completion = solution.strip() if isinstance(solution, str) and solution.strip() else self.format_answer(answer)
        level = _LEVEL.search(str(record.get("level") or ""))
        topic = record.get("subject", record.get("type"))
        return Row(
            question=problem.strip(),
            answer=answer,
            completion=completion,
            level=int(level[0]) if level else None,
            topic=str(topic) if topic else None,
        )

    def extract(self, text: str) -> str | None:
        """Return the final answer, normalised: of an `"answer"` field, else of the last box or marker."""
        tail = text[-_LONGEST:]
        field = answer_field(tail)
        found = _final_statement(tail) if field is None else last_boxed(field) or field
        answer = normalise(found or "")
        return answer if len(answer) <= _LONGEST_ANSWER and _SOMETHING.search(answer) else None

    def canonical(self, answer: str) -> str | None:
        """Plain numbers have one form; expressions must be compared."""
        return canonical_number(answer)

    def equal(self, a: str, b: str) -> bool:
        """Mathematical equality within a time limit."""
        return equal_expressions(a, b)

    def is_chain_of_thought(self, text: str) -> bool:
        """Reasoning stands before the answer."""
        return has_reasoning(text)

    def format_answer(self, answer: str) -> str:
        """Write the bare answer as the templates ask for it."""
        return f"The answer is \\boxed{{{answer}}}"


def _final_statement(text: str) -> str | None:
    """Take the last box, or what a later marker states where that is no prose; without a box the last marker."""
    box = find_last_box(text)
    if box is None:
        return _stated(after_marker(text) or "")
    content, end = box
    later = _stated(after_marker(text, end) or "")
    return later if _SOMETHING.search(later) and not _PROSE.search(later) else content


def _stated(statement: str) -> str:
    """Take the formulas that a statement begins with, or its only one, or the number before its words, or all of it."""
    sentence = _SENTENCE_END.split(_DISPLAY.sub("$", statement))[0]
    first = _FORMULAS.match(sentence) or (_FORMULAS.search(sentence) if sentence.count("$") == 2 else None)
    if first:
        return _DOLLAR.sub(" ", first[0])
    quantity = _QUANTITY.fullmatch(sentence)
    return quantity[1] if quantity else sentence
