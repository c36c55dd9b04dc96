"""Plain numbers: read exactly, compared exactly. The fast path of equality."""

from __future__ import annotations

import re
from fractions import Fraction

__all__ = ["canonical_number", "parse_number"]

_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)"
_DECIMAL = rf"[+-]?(?:{_DIGITS}(?:\.[0-9]*)?|\.[0-9]+)"
_NUMBER = re.compile(rf"({_DECIMAL})(?:[eE]([+-]?[0-9]{{1,3}}))?")
_RATIO = re.compile(rf"({_DECIMAL})/({_DECIMAL})")
_FRAC = re.compile(r"([+-]?)\\[dt]?frac\{([+-]?[0-9]{1,40})\}\{([+-]?[0-9]{1,40})\}")
_WHOLE = r"([0-9]{1,40})"
_MIXED = re.compile(rf"([+-]?){_WHOLE}(?:\s*\\[dt]?frac\{{{_WHOLE}\}}\{{{_WHOLE}\}}|\s+{_WHOLE}/{_WHOLE})")
_LONGEST = 120
"""A plain number of more characters is compared as text: nothing that long is an answer."""


def parse_number(text: str) -> Fraction | None:
    r"""Read a decimal (thousands commas, exponent of three digits), `a/b`, `\frac{a}{b}` or `2 1/2`; None otherwise."""
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    if match := _NUMBER.fullmatch(text):
        value = Fraction(match[1].replace(",", "").rstrip("."))
        return value * Fraction(10) ** int(match[2]) if match[2] else value
    if match := _RATIO.fullmatch(text):
        top, bottom = (Fraction(part.replace(",", "").rstrip(".")) for part in match.groups())
        return top / bottom if bottom else None
    if match := _FRAC.fullmatch(text):
        bottom = Fraction(match[3])
        return Fraction(f"{match[1]}1") * Fraction(match[2]) / bottom if bottom else None
    return _parse_mixed(text)


def _parse_mixed(text: str) -> Fraction | None:
    """Read a whole number and a proper fraction behind it."""
    match = _MIXED.fullmatch(text)
    if match is None:
        return None
    top, bottom = int(match[3] or match[5]), int(match[4] or match[6])
    return Fraction(f"{match[1]}1") * (int(match[2]) + Fraction(top, bottom)) if 0 < top < bottom else None


def canonical_number(text: str) -> str | None:
    """Return one string for all ways to write a plain number, or None."""
    # Whole numbers are nearly all of the answers of GSM8K: they need no Fraction.
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST:
        return text.lstrip("0") or "0"
    value = parse_number(text)
    return None if value is None else str(value)
