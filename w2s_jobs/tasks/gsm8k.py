"""GSM8K: grade-school word problems whose answer is one number (Cobbe et al. 2021)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.core.latex import last_boxed, normalise
from w2s_jobs.core.numbers import canonical_number, parse_number
from w2s_jobs.tasks.family import BadRecordError, Row
from w2s_jobs.tasks.reasoning import after_marker, answer_field, has_reasoning

__all__ = ["Gsm8k"]

_CALCULATOR = re.compile(r"<<[^<>]*>>")
_AMOUNT = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:(?:\s[0-9]+)?\s?/\s?[0-9]+(?:\.[0-9]+)?)?|\.[0-9]+"
_SIGN = r"(?:(?<![\w)])[+-])?"
"""A hyphen behind a word, a number or a bracket is no sign."""
_NUMBER = re.compile(rf"{_SIGN}(?:\$\s?[+-]?)?(?:{_AMOUNT})")
_MONEY = re.compile(rf"{_SIGN}\$\s?[+-]?(?:{_AMOUNT})")
_SENTENCE_END = re.compile(r"(?<=[^0-9])\.\s|\.$")
_RESTATED = re.compile(r"=|\bwhich is\b")
_FLOAT_DIGITS = 14
"""A decimal with more digits was printed from a float: its last ones are rounding."""
_LONGEST = 50_000
"""Only the end of a longer completion is read: the answer comes last."""


class Gsm8k:
    """The family of GSM8K. An answer is a number; units, currency and thousands commas do not matter."""

    name = "gsm8k"
    train_files: tuple[str, ...] = ("train.jsonl", "train.parquet")
    test_files: tuple[str, ...] = ("test.jsonl", "test.parquet")

    def generate(self) -> Iterator[Row]:
        """GSM8K cannot be generated."""
        raise InputError("dataset.source.generated: GSM8K has no grammar; name a path, s3 or hub source")

    def parse(self, record: Mapping[str, Any]) -> Row:
        """Read {"question", "answer"}; the answer ends in `#### number`. Calculator annotations are taken out."""
        question, solution = record.get("question"), record.get("answer")
        if not isinstance(question, str) or not question.strip():
            raise BadRecordError(f"question: expected a text; got {question!r:.60}")
        if not isinstance(solution, str) or "####" not in solution:
            raise BadRecordError(f"answer: expected a solution that ends in '#### number'; got {solution!r:.60}")
        answer = canonical_number(solution.rpartition("####")[2].strip())
        if answer is None:
            raise BadRecordError(f"answer: expected a number after '####'; got {solution.rpartition('####')[2]!r:.60}")
        return Row(question=question.strip(), answer=answer, completion=_CALCULATOR.sub("", solution).strip())

    def extract(self, text: str) -> str | None:
        """Return the final number, canonical: of an `"answer"` field, after `####`, in a box, stated, or last."""
        tail = _CALCULATOR.sub("", text[-_LONGEST:]).replace("\u2212", "-")
        field = answer_field(tail)
        if field is not None:
            return _stated_number(normalise(field))
        if "####" in tail:
            return _stated_number(tail.rpartition("####")[2].strip().partition("\n")[0])
        boxed = last_boxed(tail)
        if boxed is not None:
            return _stated_number(normalise(boxed))
        stated = after_marker(tail)
        found = _stated_number(_SENTENCE_END.split(stated)[0]) if stated is not None else None
        return found if found is not None else _last_number(tail)

    def canonical(self, answer: str) -> str | None:
        """One string for a number however it is written; digits beyond those of a float are rounded away."""
        return _canonical(answer)

    def equal(self, a: str, b: str) -> bool:
        """Exact equality of numbers."""
        left, right = _canonical(a), _canonical(b)
        return left == right if left is not None and right is not None else a == b

    def is_chain_of_thought(self, text: str) -> bool:
        """Reasoning stands before the number."""
        return has_reasoning(text)

    def format_answer(self, answer: str) -> str:
        """Write the bare answer as GSM8K does."""
        return f"#### {answer}"


def _canonical(found: str) -> str | None:
    text = re.sub(r"\s*/\s*", "/", found.replace("$", "").strip())
    if "." in text and sum(map(str.isdigit, text)) > _FLOAT_DIGITS:
        value = parse_number(text)
        return None if value is None else canonical_number(f"{float(value):.{_FLOAT_DIGITS - 1}g}")
    return canonical_number(text)


def _first_number(text: str) -> str | None:
    match = _NUMBER.search(text)
    return _canonical(match[0]) if match else None


def _stated_number(text: str) -> str | None:
    """Take the first number of a statement, or behind its last `=` or `which is`; money before any other number.

    So `20 + $5 = $25` answers 25, `72 months, which is 6 years` answers 6, `in 2 weeks he earns $168` answers 168.
    """
    whole = canonical_number(text)
    if whole is not None:
        return whole
    behind = next((part for part in reversed(_RESTATED.split(text)) if _NUMBER.search(part)), "")
    money = _MONEY.search(behind)
    return _canonical(money[0]) if money else _first_number(behind)


def _last_number(text: str) -> str | None:
    """Take the last number, as the graders of GSM8K do (lm-evaluation-harness' flexible match, LLM-Adapters)."""
    numbers = _NUMBER.findall(text)
    return _canonical(numbers[-1]) if numbers else None
