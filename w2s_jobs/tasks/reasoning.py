"""What the reasoning families share: where a completion states its final answer, and what reasoning before it is."""

from __future__ import annotations

import re

__all__ = ["after_marker", "answer_field", "has_reasoning"]

_MARKER = re.compile(
    r"(?:final answer|the answer|answer)(?:\s+(?:to|in|for|of)\b[^.:=\n]{1,80}?)?\s*(?:is|=|:)\s*:?|####|(?:^|\n)A:",
    re.IGNORECASE,
)
_FIELD = re.compile(r'"answer"\s*:\s*')
_QUOTED = re.compile(r'"((?:[^"\\\n]|\\.)*)"?')
_BARE = re.compile(r"[^,}\n]*")
_BOXED = re.compile(r"\\boxed\s*\{.*", re.DOTALL)
_WORDS = 6
"""Fewer words before the answer are a restated answer, not a derivation."""
_NEXT_LINE = 30
"""A longer line below `The answer is:` goes on reasoning."""


def after_marker(text: str, start: int = 0) -> str | None:
    """Return the rest of the line after the last marker (`####`, `The answer is`, `Answer:`, `A:`), else None.

    Only markers from `start` on count. Where nothing follows on that line the next one counts, if it is short.
    Asterisks of Markdown are taken off.
    """
    last = None
    for match in _MARKER.finditer(text, start):
        last = match
    if last is None:
        return None
    line, _, below = text[last.end() :].partition("\n")
    if not line.strip(" *\t"):
        line = below.lstrip().partition("\n")[0]
        if len(line) > _NEXT_LINE:
            return None
    return line.strip(" *\t") or None


def answer_field(text: str) -> str | None:
    r"""Return the last `"answer"` of a completion that was asked to be JSON, whether or not it parses; else None.

    Models leave the backslashes of LaTeX single, so the text is not read as JSON: `\\` becomes `\`, the rest stays.
    """
    found = list(_FIELD.finditer(text))
    if not found:
        return None
    start = found[-1].end()
    quoted = _QUOTED.match(text, start)
    if quoted:
        return quoted[1].replace("\\\\", "\\").replace('\\"', '"').strip()
    bare = _BARE.match(text, start)
    return bare[0].strip() if bare else None


def has_reasoning(text: str) -> bool:
    """Tell whether text stands before the final answer: a few words, or an equation."""
    last = None
    for match in _MARKER.finditer(text):
        last = match
    before = text[: last.start()] if last else _BOXED.sub("", text)
    return "=" in before or len(before.split()) >= _WORDS
