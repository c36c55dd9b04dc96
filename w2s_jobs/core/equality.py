"""Mathematical equality: plain numbers exactly, then text, then `math-verify` under limits.

Unequal is the answer in doubt: a wrong "equal" would make a wrong label look right.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import Any

from w2s_jobs.core.numbers import parse_number

__all__ = ["equal_expressions", "is_tame"]

_LONGEST = 300
_DEEPEST = 12
_SECONDS = 3
_WILD = re.compile(
    r"\^\s*\{?[^{}\s]*\^"  # a power of a power: 9^9^9 is a number that fits no memory
    r"|\^\s*\{?\s*[+-]?[0-9]{4,}"  # a huge exponent
    r"|[0-9]{3,}\s*!|!\s*!"  # a huge factorial
    r"|[0-9]{31,}"
    r"|[eE][+-]?[0-9]{4,}"
)
_WORD = re.compile(r"(?<![\\A-Za-z])(?!(?:sin|cos|tan|cot|sec|csc|log|exp|sqrt|max|min|arc[a-z]{3})\b)[A-Za-z]{3,}|\n")
"""A word is prose or a program: math-verify would pick some number out of it and call that the answer."""
# math-verify logs every expression that it cannot read; that is an ordinary "not equal" here.
logging.getLogger("math_verify").setLevel(logging.CRITICAL)


def is_tame(answer: str) -> bool:
    """Tell whether a computer algebra system may be shown this: short, shallow, no prose, no towers of powers."""
    if len(answer) > _LONGEST or _WILD.search(answer) or _WORD.search(answer):
        return False
    depth = deepest = 0
    for character in answer:
        if character in "{([":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "})]":
            depth -= 1
    return deepest <= _DEEPEST


def equal_expressions(a: str, b: str) -> bool:
    """Tell whether two normalised answers mean the same. Symmetric; bounded in time; never raises."""
    if a == b:
        return True
    left, right = parse_number(a), parse_number(b)
    if left is not None and right is not None:
        return left == right
    if _squeezed(a) == _squeezed(b):
        return True
    if not (is_tame(a) and is_tame(b)):
        return False
    first, second = sorted((a, b))  # math-verify treats its two sides differently; equality must not
    return _verify(first, second)


def _squeezed(text: str) -> str:
    return text.replace(" ", "")


def _verify(a: str, b: str) -> bool:
    import math_verify  # half a second of sympy, needed by few answers only

    parsed = _parse(a), _parse(b)
    if not all(parsed):
        return False
    try:
        return bool(math_verify.verify(parsed[0], parsed[1], timeout_seconds=_SECONDS))
    except Exception:  # sympy raises whatever it likes on odd input; that is "not equal"
        return False


@lru_cache(maxsize=50_000)
def _parse(answer: str) -> Any:
    import math_verify

    try:
        return math_verify.parse(f"${answer}$", parsing_timeout=_SECONDS)
    except Exception:  # the same
        return []
