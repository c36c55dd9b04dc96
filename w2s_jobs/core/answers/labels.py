"""Choices among lettered options: one letter, or a set of letters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import ascii_uppercase

from w2s_jobs.core.answers.domain import end_of, statements

__all__ = ["NONE", "Label", "LabelSet", "render_options", "set_f1"]

NONE = "none"
"""The empty set of letters, in words."""
_NEGATION = re.compile(r"\b(?:not|never|neither|nor|except|but|cannot)\b|n't\b", re.IGNORECASE)
_NEGATED_HERE = re.compile(
    r"(?:\b(?:not|never|neither|nor|except|but|cannot|than)\b|n't\b)[^.\n]{0,30}\Z", re.IGNORECASE
)
"""The words just before an option that say it is not the one."""


def render_options(options: Sequence[str]) -> str:
    """Render options one a line, lettered from (A)."""
    return "\n".join(f"({letter}) {text}" for letter, text in zip(ascii_uppercase, options, strict=False))


class Label:
    """One of the first `count` letters. `(B)`, `B.`, `b)`, `option B` and `answer2` are the same."""

    def __init__(self, count: int) -> None:
        letters = ascii_uppercase[:count]
        both = letters + letters.lower()
        self._letters = letters
        self._framed = re.compile(rf"[(\[]\s*([{both}])\s*[)\]]|\banswer\s?([1-{count}])\b", re.IGNORECASE)
        # A bare letter stands alone or before a mark: `A dog` and `a dog` name no option, `B dog` does.
        self._bare = re.compile(
            rf"(?:(?:option|choice|answer|letter)\s+)?[\"'(]*([{letters}])(?=[).,:;\"'\]]|\s*$|(?<!A)(?<!I)\s)"
        )
        # `the answer is a` may be cut off, so a small letter that ends a text counts from b on.
        self._small = re.compile(rf"[\"'(]*(?:([{letters.lower()}])[).:]|([{letters[1:].lower()}])\s*$)")
        # `(B) or (C)`, `C, E`: several options are no answer, whichever comes first.
        self._another = re.compile(
            rf"[)\].:]*[^()]{{0,60}}?(?:[,;/&]|\bor\b|\band\b)\s*(?:[(\[]|answer)?[{letters}1-{count}]\b"
        )

    def extract(self, text: str) -> str | None:
        """Read the statement of the answer; without one, the only option that the text names in brackets or alone."""
        for statement in statements(text):
            found = self._leading(statement)
            if found is not None:
                return found or None
        tail = end_of(text).strip()
        named = self._all_framed(tail)
        if not named:
            return self._leading(tail) or None
        return self._only(tail) if len(named) == 1 else self._only(tail.splitlines()[-1])

    def canonical(self, answer: str) -> str | None:
        """Return the letter."""
        letter = answer.strip().upper()
        return letter if len(letter) == 1 and letter in self._letters else None

    def write(self, answer: str) -> str:
        """Write the letter in brackets."""
        return f"The answer is ({answer})."

    def _leading(self, statement: str) -> str | None:
        """Return the option that a statement begins with, else the only one it names in brackets; "" is several."""
        start = re.sub(r"^[\s:*\-\u2190]+", "", statement)
        bare = self._bare.match(start) or self._small.match(start)
        if bare:
            return "" if self._another.match(start[bare.end() :]) else (bare[1] or bare[bare.lastindex or 1]).upper()
        return self._only(statement)

    def _only(self, text: str) -> str | None:
        """Return the only option that a text names in brackets, unless its last mention is negated."""
        mentions = list(self._framed.finditer(text))
        if len(self._all_framed(text)) != 1 or _NEGATED_HERE.search(text, 0, mentions[-1].start()):
            return None
        return self._all_framed(text).pop()

    def _all_framed(self, text: str) -> set[str]:
        return {
            match[1].upper() if match[1] else self._letters[int(match[2]) - 1] for match in self._framed.finditer(text)
        }


class LabelSet:
    """A set of letters, possibly empty. Order and repetition do not matter."""

    _NONE = re.compile(r"^\W*(?:none|no candidates?)\b", re.IGNORECASE)
    _FRAMED = re.compile(r"\(([A-Z])\)")
    _BARE = re.compile(r"^[A-Z](?:(?:\s{0,3}(?:[,;&]|and\b)\s{0,3}|\s{1,3})[A-Z]){0,25}\W{0,5}$")

    def extract(self, text: str) -> str | None:
        """Read the letters of the statement; a text without one counts where it is nothing but letters."""
        for statement in (*statements(text), end_of(text).strip()):
            found = self._read(statement)
            if found is not None:
                return found
        return None

    def canonical(self, answer: str) -> str | None:
        """Return the letters in order, or `none`."""
        if answer.strip().lower() == NONE:
            return NONE
        letters = {part.strip() for part in answer.split(",")}
        return ", ".join(sorted(letters)) if all(len(x) == 1 and x in ascii_uppercase for x in letters) else None

    def write(self, answer: str) -> str:
        """Write each letter in brackets."""
        return f"The answer is {answer if answer == NONE else ', '.join(f'({x})' for x in answer.split(', '))}."

    def _read(self, statement: str) -> str | None:
        if self._NONE.match(statement):
            return NONE if not self._FRAMED.search(statement) else None
        if _NEGATION.search(statement):
            return None
        letters = self._FRAMED.findall(statement)
        if not letters and self._BARE.match(statement):
            letters = re.findall(r"[A-Z]", statement)
        return ", ".join(sorted(set(letters))) if letters else None


def set_f1(predicted: str | None, gold: str) -> float:
    """Compute F1 of two sets of letters in [0, 1] (Zhou et al. 2019, section 4; their evaluator's edge cases).

    Precision is 1 where nothing is predicted, recall is 1 where nothing is right; an invalid answer predicts nothing.
    """
    found, right = _letters(predicted or NONE), _letters(gold)
    hits = len(found & right)
    precision = hits / len(found) if found else 1.0
    recall = hits / len(right) if right else 1.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _letters(answer: str) -> set[str]:
    return set() if answer == NONE else set(answer.split(", "))
