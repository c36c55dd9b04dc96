r"""Sums, products, fractions and small powers of plain numbers, read and computed exactly without a parser.

Nearly every pair of answers that a vote compares is of this kind, and the computer algebra's parser takes 30 ms a text.
"""

from __future__ import annotations

import re
from fractions import Fraction

__all__ = ["exact_value"]

_LONGEST = 120
_LARGEST_POWER = 64
_MOST_BITS = 20_000
_TOKEN = re.compile(r"\s*(\\frac|\\cdot|\\times|\\div|[0-9]+(?:\.[0-9]+)?|[-+*/^(){}])")
_TIMES = ("*", "\\cdot", "\\times")
_OVER = ("/", "\\div")


class _Unreadable(Exception):
    """Not this grammar."""


def exact_value(text: str) -> Fraction | None:
    r"""Return the value of an expression of numbers, `+ - * / ^`, brackets and `\frac`; None for anything else.

    Two factors side by side (`2(3)`, `2\frac{1}{2}`) are not read: they mean a product to one and a mixed number to
    another.
    """
    if len(text) > _LONGEST or not any(map(str.isdigit, text)):
        return None
    try:
        tokens = _tokens(text)
        value, end = _sum(tokens, 0)
    except (_Unreadable, ZeroDivisionError, RecursionError):
        return None
    return value if end == len(tokens) - 1 else None


def _tokens(text: str) -> list[str]:
    found, position = [], 0
    text = text.rstrip()
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise _Unreadable
        found.append(token[1])
        position = token.end()
    return [*found, ""]


def _sum(tokens: list[str], at: int) -> tuple[Fraction, int]:
    value, at = _product(tokens, at)
    while tokens[at] in ("+", "-"):
        term, end = _product(tokens, at + 1)
        value, at = (value + term if tokens[at] == "+" else value - term), end
    return value, at


def _product(tokens: list[str], at: int) -> tuple[Fraction, int]:
    value, at = _signed(tokens, at)
    while tokens[at] in _TIMES + _OVER:
        factor, end = _signed(tokens, at + 1)
        value, at = (value * factor if tokens[at] in _TIMES else value / factor), end
    return value, at


def _signed(tokens: list[str], at: int) -> tuple[Fraction, int]:
    if tokens[at] in ("+", "-"):
        value, end = _signed(tokens, at + 1)
        return (value if tokens[at] == "+" else -value), end
    base, at = _atom(tokens, at)
    if tokens[at] != "^":
        return base, at
    power, at = _group(tokens, at + 1) if tokens[at + 1] == "{" else _atom(tokens, at + 1)
    if tokens[at] == "^" or power.denominator != 1 or abs(power) > _LARGEST_POWER:
        raise _Unreadable
    if (base.numerator.bit_length() + base.denominator.bit_length()) * abs(power) > _MOST_BITS:
        raise _Unreadable
    return base ** int(power), at


def _atom(tokens: list[str], at: int) -> tuple[Fraction, int]:
    first = tokens[at]
    if first == "\\frac":
        top, at = _group(tokens, at + 1)
        bottom, at = _group(tokens, at)
        return top / bottom, at
    if first == "(":
        value, at = _sum(tokens, at + 1)
        return value, _expect(tokens, at, ")")
    if first[:1].isdigit():
        return Fraction(first), at + 1
    raise _Unreadable


def _group(tokens: list[str], at: int) -> tuple[Fraction, int]:
    value, at = _sum(tokens, _expect(tokens, at, "{"))
    return value, _expect(tokens, at, "}")


def _expect(tokens: list[str], at: int, expected: str) -> int:
    if tokens[at] != expected:
        raise _Unreadable
    return at + 1
