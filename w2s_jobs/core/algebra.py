r"""Equality of two single expressions or relations: read by math-verify's parser, compared at fixed points.

Two expressions are equal when they agree in 40 digits at every point of a fixed list. Nothing is simplified or
expanded, so the time depends on the length of the text and not on what it means; and a decimal is exact: 1.41421356 is
not the root of 2. `is_tame` keeps away what no computer should be shown.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

__all__ = ["equal_terms", "is_tame"]

_LONGEST = 300
_DEEPEST = 12
_LARGEST_POWER = 100_000
_DIGITS = 50
_AGREEING = 40
_POINTS = (3, 5, 6, 7, 10)
"""Each makes one list of values, of both signs, for the free symbols; powers of it modulo a prime look random."""
_PRIME = 1009

_COMMANDS = re.compile(
    r"frac|sqrt|pi|infty|cdot|times|div|leq?|geq?|lt|gt|neq?|sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|log|ln|exp"
    r"|alpha|beta|gamma|delta|epsilon|theta|lambda|mu|phi|omega|rho|sigma|tau|binom|[lr]floor|[lr]ceil|mathbb|emptyset"
)
_TOKEN = re.compile(r"\\([A-Za-z]+)|[A-Za-z]+|[0-9]+(?:\.[0-9]+)?|\.[0-9]+|[-+*/^=<>!|()\[\]{}\s]|_(?=\{?[0-9a-z])")
_NOT_ONE_TERM = re.compile(
    r"[0-9]\s+[0-9]"  # two numbers side by side: a list, or prose
    r"|[0-9]\s+[A-Za-z]"  # `5 m` and `3 pm` are quantities, not products
    r"|[0-9]_|[0-9]\}_"  # a number in another base is compared as text
    r"|(?<!\\sqrt)\["  # square brackets belong to roots and intervals
    r"|(?:[-+*/^=<>]|\\cdot|\\times)\s*$"  # an operator with nothing behind it
    r"|[0-9]{31,}"
    r"|(?<!\\binom)\\binom.*[0-9]{5,}"
)
_FACTORIAL = re.compile(r"(?:(?<![0-9.])[0-9]{1,2}|(?<![A-Za-z])[a-z])!(?!\s*!)")
_DECIMAL = re.compile(r"([0-9]*)\.([0-9]+)")
_COMMAND = re.compile(r"\\(?!(?:alpha|beta|gamma|delta|epsilon|theta|lambda|mu|phi|omega|rho|sigma|tau)\b)[A-Za-z]+")
_LETTER = re.compile(r"\\[a-z]+|[A-Za-z]")
_PRODUCT = re.compile(r"(?<=[0-9])\s*(?=\()")
# The parser logs every expression that it cannot read; that is an ordinary "not equal" here.
logging.getLogger("latex2sympy2_extended").setLevel(logging.CRITICAL)


def is_tame(text: str) -> bool:
    """Tell whether the parser may be shown this: short, shallow, known commands, no prose, no powers of powers."""
    if len(text) > _LONGEST or _NOT_ONE_TERM.search(text) or not _is_shallow(text):
        return False
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None or not _is_known(token):
            return False
        position = token.end()
    if "!" in text and ("^" in text or "!" in _FACTORIAL.sub("", text)):
        return False
    if text.count("\\exp") > 1 or ("\\exp" in text and "^" in text):
        return False
    exponents = list(_exponents(text))
    return not any("^" in exponent for exponent in exponents) and math.prod(map(_bound, exponents)) <= _LARGEST_POWER


def _is_known(token: re.Match[str]) -> bool:
    if token[1] is not None:
        return _COMMANDS.fullmatch(token[1]) is not None
    return not token[0].isalpha() or len(token[0]) <= 2


def _is_shallow(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character in "{([") - (character in "})]")
        if not 0 <= depth <= _DEEPEST:
            return False
    return depth == 0


def _exponents(text: str) -> Iterator[str]:
    """Yield what stands behind each `^`: one character or one group."""
    for found in re.finditer(r"\^\s*", text):
        start = end = found.end()
        depth = 0
        while end < len(text):
            depth += (text[end] == "{") - (text[end] == "}")
            end += 1
            if depth <= 0:
                break
        yield text[start:end]


def _bound(exponent: str) -> int:
    """Return a number that the exponent's value hardly exceeds: the product of the whole numbers in it."""
    return math.prod(max(1, int(number)) for number in re.findall(r"[0-9]+", exponent))


def equal_terms(a: str, b: str) -> bool:
    """Tell whether two tame texts mean the same expression or relation; symmetric; False where one cannot be read.

    Texts in different variables are different, even where a variable cancels: an answer is expected to be simplified.
    """
    if _variables(a) != _variables(b):
        return False
    left, right = _parse(a), _parse(b)
    if left is None or right is None:
        return False
    return _equal(left, right)


def _variables(text: str) -> set[str]:
    return set(_LETTER.findall(_COMMAND.sub(" ", text))) - {"e", "i"}


@lru_cache(maxsize=50_000)
def _parse(text: str) -> Any:
    from latex2sympy2_extended import latex2sympy  # half a second of sympy, needed by few answers only
    from latex2sympy2_extended.latex2sympy2 import ConversionConfig

    exact = _PRODUCT.sub(r"\\cdot ", _DECIMAL.sub(_as_fraction, text))
    try:
        return latex2sympy(
            exact, normalization_config=None, conversion_config=ConversionConfig(lowercase_symbols=False)
        )
    except Exception:  # parser and sympy raise whatever they like on odd input; that is "cannot be read"
        return None


def _as_fraction(match: re.Match[str]) -> str:
    return rf"(\frac{{{int(match[1] + match[2])}}}{{{10 ** len(match[2])}}})"


def _equal(left: Any, right: Any) -> bool:
    from sympy import And, Expr
    from sympy.core.relational import Relational

    if isinstance(left, And) and isinstance(right, And):
        return len(left.args) == len(right.args) and all(any(_equal(a, b) for b in right.args) for a in left.args)
    if isinstance(left, Relational) and isinstance(right, Relational):
        return _equal_relations(left, right)
    if isinstance(left, Expr) and isinstance(right, Expr):
        return _agree_everywhere(left, right)
    return bool(left == right)


def _equal_relations(left: Any, right: Any) -> bool:
    """Compare `l < r` as the sign of `l - r`: a positive factor changes nothing, a negative one turns the relation."""
    from sympy import Eq, Ne

    left, right = left.canonical, right.canonical
    factors = _ratios(left.lhs - left.rhs, right.lhs - right.rhs)
    if not factors:
        return False
    first = factors[0]
    if any(abs(factor - first) > abs(first) * 10**-_AGREEING for factor in factors) or first == 0:
        return False
    if isinstance(left, (Eq, Ne)):
        return type(left) is type(right)
    return bool(type(left) is type(right if first > 0 else right.reversedsign))


def _ratios(left: Any, right: Any) -> list[Any]:
    symbols = _symbols(left, right)
    values = list(zip(_values(left, symbols), _values(right, symbols), strict=True))
    if any(one is None or other is None or other == 0 or not (one / other).is_real for one, other in values):
        return []
    return [(one / other).evalf(_DIGITS) for one, other in values]


def _agree_everywhere(left: Any, right: Any) -> bool:
    symbols = _symbols(left, right)
    agreed = 0
    for one, other in zip(_values(left, symbols), _values(right, symbols), strict=True):
        if one is None and other is None:
            continue  # outside of both domains
        if one is None or other is None:
            return False
        scale = max(1, abs(one), abs(other))
        if not abs(one - other) <= scale * 10**-_AGREEING:
            return False
        agreed += 1
    return agreed > 0


def _symbols(left: Any, right: Any) -> tuple[Any, ...]:
    return tuple(sorted(left.free_symbols | right.free_symbols, key=str))


@lru_cache(maxsize=50_000)
def _values(expression: Any, symbols: tuple[Any, ...]) -> list[Any]:
    """Evaluate at each point, where `symbols` are all that vary; None outside of the domain."""
    from sympy import I

    free = [symbol for symbol in symbols if str(symbol) != "i"]
    found = []
    for base in _POINTS if free else _POINTS[:1]:
        point = {symbol: _rational(base, n) for n, symbol in enumerate(free, 2)}
        point |= {symbol: I for symbol in symbols if symbol not in point}
        value = expression.subs(point).evalf(_DIGITS)
        found.append(value if value.is_number and value.is_finite else None)
    return found


def _rational(base: int, n: int) -> Any:
    """Return the value of the n-th symbol: values in step with each other would make p + q - r equal to some letter."""
    from sympy import Rational

    return Rational((-1) ** (base * n // 2) * pow(base, n + 3, _PRIME), 211 + 2 * n)
