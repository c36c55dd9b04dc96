"""GSM8K: grade-school word problems whose answer is one number (Cobbe et al. 2021)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.core.latex import last_boxed, normalise
from w2s_jobs.core.numbers import canonical_number, parse_number
from w2s_jobs.tasks.family import BadRecordError, Row
from w2s_jobs.tasks.reasoning import after_marker, has_reasoning

__all__ = ["Gsm8k"]

_CALCULATOR = re.compile(r"<<[^<>]*>>")
_NUMBER = re.compile(
    r"[+-]?\s?\$?\s?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:\s?/\s?[0-9]+(?:\.[0-9]+)?)?|\.[0-9]+"
)
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
        """Return the number after the last marker, in the last box, or last in the text; canonical."""
        tail = _CALCULATOR.sub("", text[-_LONGEST:])
        if "####" in tail:
            return _first_number(tail.rpartition("####")[2])
        boxed = last_boxed(tail)
        if boxed is not None:
            return canonical_number(normalise(boxed)) or _last_number(normalise(boxed))
        stated = after_marker(tail)
        if stated is not None:
            found = _answer_number(stated)
            if found is not None:
                return found
        return _last_number(tail)

    def canonical(self, answer: str) -> str | None:
        """Extracted answers are canonical numbers."""
        return canonical_number(answer)

    def equal(self, a: str, b: str) -> bool:
        """Exact equality of numbers."""
        left, right = parse_number(a), parse_number(b)
        return left == right if left is not None and right is not None else a == b

    def is_chain_of_thought(self, text: str) -> bool:
        """Reasoning stands before the number."""
        return has_reasoning(text)

    def format_answer(self, answer: str) -> str:
        """Write the bare answer as GSM8K does."""
        return f"#### {answer}"


def _canonical(found: str) -> str | None:
    return canonical_number(re.sub(r"[\s$]", "", found))


def _first_number(text: str) -> str | None:
    match = _NUMBER.search(text)
    return _canonical(match[0]) if match else None


def _last_number(text: str) -> str | None:
    numbers = _NUMBER.findall(text)
    return _canonical(numbers[-1]) if numbers else None


def _answer_number(stated: str) -> str | None:
    """Take the first number of a statement, or the one behind its last `=`: `20 + $5 = $25` answers 25."""
    sentence = re.split(r"(?<=[^0-9])\.\s|\.$", stated)[0]
    return _first_number(sentence.rpartition("=")[2])
