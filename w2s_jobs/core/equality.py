r"""Mathematical equality: plain numbers exactly, lists and intervals member by member, single terms by algebra.

Unequal is the answer in doubt: a wrong "equal" would make a wrong label look right. What is not mathematics (words, a
program, a number in another base, a time of day) is compared as text.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import lru_cache

from w2s_jobs.core.algebra import equal_terms, is_tame
from w2s_jobs.core.arithmetic import exact_value
from w2s_jobs.core.compound import Compound, split_compound
from w2s_jobs.core.numbers import parse_number

__all__ = ["equal_expressions"]

_SECONDS = 3
_LONGEST = 600
"""Longer answers are compared as text only."""
_NAMED = re.compile(r"([A-Za-z](?:\([A-Za-z]\))?)\s*(?:=|\\in(?![A-Za-z]))\s*(?=[^=])")
r"""`x = ` and `x \in ` before an answer only name it."""
_BLANK = re.compile(r"(?<![0-9A-Za-z])\s+|\s+(?![0-9A-Za-z])")
"""A blank between two words or numbers keeps them apart; any other means nothing."""
_IN_BASE = re.compile(r"([0-9A-F]+)_(?:\{([0-9]+)\}|([0-9]+))")
_WORD = re.compile(r"[A-Za-z]{2}|^[A-Za-z]$")
"""Words, and the letter of a choice"""


def equal_expressions(a: str, b: str) -> bool:
    """Tell whether two normalised answers mean the same. Symmetric; bounded in time; never raises."""
    if a == b:
        return True
    left, right = parse_number(a), parse_number(b)
    if left is not None and right is not None:
        return left == right
    first, second = sorted((_squeezed(a), _squeezed(b)))  # sorted: equality must not depend on the side
    if _same_text(first, second):
        return bool(first)
    if not first or len(first) > _LONGEST or len(second) > _LONGEST:
        return False
    return _within_limit(first, second)


def _squeezed(text: str) -> str:
    text = _BLANK.sub("", text.strip())
    based = _IN_BASE.fullmatch(text)
    return f"{based[1]}_{based[2] or based[3]}" if based else text


def _same_text(a: str, b: str) -> bool:
    if a == b:
        return True
    # Capitals tell variables apart, but not words.
    return "\\" not in a + b and bool(_WORD.search(a)) and a.casefold() == b.casefold()


@lru_cache(maxsize=50_000)
def _within_limit(a: str, b: str) -> bool:
    from math_verify.errors import TimeoutException
    from math_verify.utils import timeout

    limited: Callable[[str, str], bool] = timeout(timeout_seconds=_SECONDS)(_equal)
    # The limit is an alarm, which only a main thread can set. What `is_tame` lets through does not need it.
    compare = limited if threading.current_thread() is threading.main_thread() else _equal
    try:
        return compare(a, b)
    except (Exception, TimeoutException):  # the time limit, or whatever sympy raises on odd input
        return False


def _equal(a: str, b: str) -> bool:
    if _same_text(a, b):
        return True
    left, right = parse_number(a), parse_number(b)
    if left is not None and right is not None:
        return left == right
    a, b = _unnamed(a, b)
    one, other = split_compound(a), split_compound(b)
    if one is not None and other is not None:
        return _equal_compounds(one, other)
    if one is not None or other is not None:
        return False
    exact, other_exact = exact_value(a), exact_value(b)
    if exact is not None and other_exact is not None:
        return exact == other_exact
    return is_tame(a) and is_tame(b) and equal_terms(a, b)


def _unnamed(a: str, b: str) -> tuple[str, str]:
    """Take the names away where only one side has one, or both have the same: `x = 5` is 5, and never `y = 5`."""
    left, right = _NAMED.match(a), _NAMED.match(b)
    if left and right:
        return (a[left.end() :], b[right.end() :]) if left[1] == right[1] else (a, b)
    if left and "=" not in b:
        return a[left.end() :], b
    if right and "=" not in a:
        return a, b[right.end() :]
    return a, b


def _equal_compounds(a: Compound, b: Compound) -> bool:
    if a.kind != b.kind or len(a.members) != len(b.members):
        return False
    if a.ordered:
        return all(_equal(one, other) for one, other in zip(a.members, b.members, strict=True))
    left = list(b.members)
    for member in a.members:
        found = next((other for other in left if _equal(*sorted((member, other)))), None)
        if found is None:
            return False
        left.remove(found)
    return True
