"""Answers in words: one of a few classes, or any short string."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from w2s_jobs.core.answers.domain import end_of, statements

__all__ = ["ClassName", "ShortString"]

_NEGATED = re.compile(r"(?:\b(?:not|never|no|neither|nor|hardly)|n't)(?:\s+\w+)?\W*$", re.IGNORECASE)
_LEAD_IN = (
    r"^\W{0,20}(?:that\s+)?(?:(?:the|this)\s+)?(?:(?:claim|statement|sentence|relation|relationship|label)\s+)?"
    r"(?:is\s+)?(?:an?\s+)?\W{0,20}"
)
_LONGEST_STRING = 200


class ClassName:
    """One of a few classes, each known by some words (`true` by true, yes, correct, …)."""

    def __init__(self, words: Mapping[str, Sequence[str]]) -> None:
        self._class_of = {word: name for name, known in words.items() for word in (name, *known)}
        longest_first = "|".join(re.escape(word) for word in sorted(self._class_of, key=len, reverse=True))
        self._start = re.compile(rf"{_LEAD_IN}({longest_first})\b", re.IGNORECASE)
        self._end = re.compile(rf"\b({longest_first})\W*$", re.IGNORECASE)
        self._another = re.compile(
            rf"\W{{0,20}}?(?:[/&]|\bor\b|\band\b)\W{{0,20}}(?:an?\s+)?({longest_first})\b", re.IGNORECASE
        )

    def extract(self, text: str) -> str | None:
        """Read the word that the statement begins with; without one, the word that the text begins or ends with."""
        for statement in statements(text):
            match = self._start.match(statement)
            if match:
                return self._unless_several(match, statement)
        tail = end_of(text).strip()
        first, last = self._start.match(tail), self._end.search(tail[-_LONGEST_STRING:])
        if last and _NEGATED.search(tail[-_LONGEST_STRING:][: last.start()]):
            last = None
        found = {self._class_of[match[1].lower()] for match in (first, last) if match}
        return found.pop() if len(found) == 1 else None

    def _unless_several(self, match: re.Match[str], statement: str) -> str | None:
        """Return the class that a statement begins with; `true or false` names two, and is no answer."""
        named, another = self._class_of[match[1].lower()], self._another.match(statement, match.end())
        return None if another and self._class_of[another[1].lower()] != named else named

    def canonical(self, answer: str) -> str | None:
        """Return the name of the class."""
        return self._class_of.get(answer.strip().lower())

    def write(self, answer: str) -> str:
        """Write the name of the class."""
        return f"The answer is {answer}."


class ShortString:
    """A short string. Case, articles, punctuation and blanks do not matter (as SQuAD's exact match, section 6.1)."""

    def extract(self, text: str) -> str | None:
        """Return what the statement says; a text of one line without a statement is the answer itself."""
        for statement in statements(text):
            found = self.canonical(statement)
            if found is not None:
                return found
        whole = text.strip()
        return self.canonical(end_of(whole)) if len(whole) <= _LONGEST_STRING and "\n" not in whole else None

    def canonical(self, answer: str) -> str | None:
        """Return the words in small letters; None where nothing is left, or where it is too long to be an answer."""
        if len(answer) > _LONGEST_STRING:
            return None
        kept = re.sub(r"[^\w\s]", " ", unicodedata.normalize("NFC", answer).casefold())
        return " ".join(re.sub(r"\b(?:a|an|the)\b", " ", kept).split()) or None

    def write(self, answer: str) -> str:
        """Write the string."""
        return f"The answer is {answer}."
