"""What the reasoning families share: where a completion states its final answer, and what reasoning before it is."""

from __future__ import annotations

import re

__all__ = ["after_marker", "has_reasoning"]

_MARKER = re.compile(
    r"(?:final answer|the answer|answer)\s*(?:is|=|:)\s*:?\s*|####\s*|(?:^|\n)A:\s*",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\boxed\s*\{.*", re.DOTALL)
_WORDS = 6
"""Fewer words before the answer are a restated answer, not a derivation."""


def after_marker(text: str) -> str | None:
    """Return the line after the last marker (`####`, `The answer is`, `A:`), or None where there is no marker."""
    last = None
    for match in _MARKER.finditer(text):
        last = match
    if last is None:
        return None
    rest = text[last.end() :].strip()
    return rest.splitlines()[0].strip() if rest else None


def has_reasoning(text: str) -> bool:
    """Tell whether text stands before the final answer: a few words, or an equation."""
    last = None
    for match in _MARKER.finditer(text):
        last = match
    before = text[: last.start()] if last else _BOXED.sub("", text)
    return "=" in before or len(before.split()) >= _WORDS
