"""LaTeX answers: finding the boxed one, and writing the same answer always in the same way."""

from __future__ import annotations

import re

__all__ = ["find_last_box", "last_boxed", "normalise"]

_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_LONGEST = 2000
"""A boxed answer of more characters is no answer."""
_MOST_BOXES = 64
"""Only the last ones are looked into."""

_REMOVED = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|bigl?|bigr?|Bigl?|Bigr?)(?![A-Za-z])|\\[!,;: ]|~|\\qquad|\\quad"
)
_TEXT = re.compile(r"\\(?:text|mathrm|textbf|mathbf|textit|textrm|mathit|operatorname|mbox|emph)\s*\{([^{}]*)\}")
_UNICODE = str.maketrans(
    {
        "\u2212": "-", "\u00d7": r"\times ", "·": r"\cdot ", "÷": r"\div ", "π": r"\pi ", "∞": r"\infty ",
        "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "\u222a": r"\cup ", "±": r"\pm ", "θ": r"\theta ", "°": "", "²": "^2",
        "³": "^3", "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}", "\u00a0": " ", "\u202f": " ",
    }
)  # fmt: skip
_ROOT = re.compile(r"√\s*(?:\(([^()]*)\)|([0-9]+|[a-z]))|(?<![\\A-Za-z])sqrt\s*\(([^()]*)\)")
_WORD_PI = re.compile(r"(?<![\\A-Za-z])pi(?![A-Za-z])")
_UNIT_NAMES = (
    "cm|m|km|mm|in|inches|inch|feet|foot|ft|units?|degrees?|miles?|mph|hours?|minutes?|seconds?|dollars?|cents?|pounds?"
    "|grams?|kg|liters?|meters?|points?|people|ways|students?"
)
_UNIT = re.compile(
    rf"\s*\\(?:text|textrm|mathrm|mbox)\s*\{{\s*(?:square |cubic )?(?:{_UNIT_NAMES})"
    r"\s*(?:\^\{?[23]\}?)?\.?\s*\}(?:\s*\^\s*\{?[23]\}?)?\s*$"
)
_DEGREES = re.compile(r"\^\s*\{?\s*\\circ\s*\}?")
_SHORT_TOP = re.compile(r"\\frac\s*([0-9a-zA-Z])")
_SHORT_BOTTOM = re.compile(r"(\\frac\s*\{[^{}]*\})\s*([0-9a-zA-Z])")
_SHORT_SQRT = re.compile(r"\\sqrt\s*([0-9a-zA-Z])")
_THOUSANDS = re.compile(r"(?<=[0-9])(?:\{,\}|\\,|,\\!)(?=[0-9]{3}(?![0-9]))")


def last_boxed(text: str) -> str | None:
    r"""Return the content of the last `\boxed{…}` whose braces are balanced, or None."""
    found = find_last_box(text)
    return found[0] if found else None


def find_last_box(text: str) -> tuple[str, int] | None:
    """Return the content of the last box and the position behind it, or None."""
    for match in reversed(list(_BOXED.finditer(text))[-_MOST_BOXES:]):
        depth, start = 1, match.end()
        for position in range(start, min(len(text), start + _LONGEST)):
            character = text[position]
            if text[position - 1] == "\\":
                continue
            depth += (character == "{") - (character == "}")
            if depth == 0:
                return text[start:position].strip(), position + 1
    return None


def normalise(answer: str) -> str:
    r"""Take away what does not change a mathematical answer: spacing commands, dollar signs, units, `\left`."""
    if len(answer) > _LONGEST:
        return answer
    text = answer.translate(_UNICODE).strip().strip("$").strip()
    text = text.removeprefix("\\(").removesuffix("\\)").removeprefix("\\[").removesuffix("\\]").strip()
    text = _THOUSANDS.sub("", text)
    text = _REMOVED.sub("", text)
    text = text.replace("\\$", "").replace("\\%", "").removesuffix("%")
    text = text.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac").replace("\\cfrac", "\\frac")
    text = _DEGREES.sub("", _UNIT.sub("", text))
    text = _TEXT.sub(r"\1", text)
    text = _SHORT_BOTTOM.sub(r"\1{\2}", _SHORT_TOP.sub(r"\\frac{\1}", text))
    text = _SHORT_SQRT.sub(r"\\sqrt{\1}", _ROOT.sub(_as_sqrt, text))
    text = _WORD_PI.sub(r"\\pi ", text)
    return re.sub(r"\s+", " ", text).strip().removesuffix(".").strip()


def _as_sqrt(match: re.Match[str]) -> str:
    return rf"\sqrt{{{match[1] or match[2] or match[3] or ''}}}"
