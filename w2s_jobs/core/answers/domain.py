"""What a domain of answers decides, and where a free text states its answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from w2s_jobs.core.latex import last_boxed

__all__ = ["AnswerDomain", "end_of", "statements"]

_LONGEST = 50_000
_LONGEST_BOXED = 5_000
"""A box is looked for in so many characters: what follows it is a remark."""
_MARKER = re.compile(
    r"(?:####|\b(?:final |correct |best |likely ){0,3}(?:answer|choice|option)s?\s*(?:is|are|would be|should be|=|:)+)"
    r"[\s:*(\[]*(?:most likely |likely |probably )?",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"\n|(?<=[a-z0-9)\]\"'])\.(?=\s+[A-Z])")
_DRESSING = re.compile(r"\\(?:text|textbf|mathrm|mathbf|mbox)\s*\{([^{}]*)\}|\*\*|\\[()\[\]]|\$")


class AnswerDomain(Protocol):
    """One kind of answer. Two answers are equal exactly where their canonical forms are."""

    def extract(self, text: str) -> str | None:
        """Return the final answer of a free text in canonical form, or None where it states none or several."""

    def canonical(self, answer: str) -> str | None:
        """Return the one form of an answer, or None where it is none of this domain."""

    def write(self, answer: str) -> str:
        """Write an answer as a sentence that `extract` reads back."""


def end_of(text: str) -> str:
    """Return the end of a text without LaTeX and Markdown dressing; the answer comes last in a longer one."""
    return _DRESSING.sub(lambda match: match[1] or "", text[-_LONGEST:])


def statements(text: str) -> Iterator[str]:
    r"""Yield the places that state the answer, most explicit first: the last `\boxed`, what follows the last marker."""
    boxed = last_boxed(text[-_LONGEST_BOXED:])
    if boxed is not None:
        yield end_of(boxed).strip()
    tail = end_of(text)
    last = None
    for match in _MARKER.finditer(tail):
        last = match
    if last is not None:
        opened = "(" if "(" in last[0] else ""
        yield opened + _SENTENCE_END.split(tail[last.end() :].strip(), maxsplit=1)[0].strip()
