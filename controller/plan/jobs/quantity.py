"""Kubernetes quantities of bytes: enough to multiply and add what settings say."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

from controller.settings import QUANTITY

__all__ = ["parse_bytes", "render_bytes", "whole_gibibytes"]

_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
_QUANTITY = re.compile(QUANTITY)


def parse_bytes(quantity: str) -> int:
    """Return the bytes of a quantity such as `64Gi`, `1.5G` or `1000`, rounded up.

    Raises
    ------
    ValueError
        It is not a quantity of bytes.
    """
    match = _QUANTITY.match(quantity)
    if match is None:
        raise ValueError(f"'{quantity}' is no quantity of bytes; expected a number such as 64Gi, 500M or 1073741824")
    number, suffix = match.groups()
    size = Decimal(number) * (_BINARY | _DECIMAL)[suffix]
    return int(size.to_integral_value(ROUND_CEILING))


def render_bytes(size: int) -> str:
    """Render bytes in the largest binary unit that divides them: 2**36 is `64Gi`."""
    for suffix, unit in reversed(_BINARY.items()):
        if size and size % unit == 0:
            return f"{size // unit}{suffix}"
    return str(size)


def whole_gibibytes(size: int) -> int:
    """Round bytes that were computed up to what a person would write."""
    return -(-size // 2**30) * 2**30
