"""Answers of several members: lists, sets, unions, tuples, intervals and matrices; the members are not read."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Compound", "split_compound"]

_MOST_MEMBERS = 24
_DEEPEST = 40
_MATRIX = re.compile(r"\\begin\{([bpvV]?)matrix\}(.*)\\end\{\1matrix\}", re.DOTALL)
_OR = re.compile(r"\s*(?<![A-Za-z\\])(?:or|and)(?![A-Za-z])\s*")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_THOUSANDS_COMMA = re.compile(r"[0-9],[0-9]{3}(?![0-9])")
_CLOSING = {"(": ")]", "[": ")]"}


@dataclass(frozen=True)
class Compound:
    """An answer of several members."""

    kind: str
    """members of different kinds are different answers: `(1,2)` is no `[1,2]` and no `1,2`"""
    members: tuple[str, ...]
    ordered: bool


def split_compound(text: str) -> Compound | None:
    r"""Split a list, `\{…\}`, `A \cup B`, `a \pm b`, `(…, …)`, `[…, …)` or a matrix; None for a single term."""
    text = text.strip()
    if matrix := _MATRIX.fullmatch(text):
        return _split_matrix(matrix[1], matrix[2])
    if r"\pm" in text and r"\mp" not in text and text.count(r"\pm") == 1:
        return Compound("set", (text.replace(r"\pm", "+"), text.replace(r"\pm", "-")), ordered=False)
    pieces = _at_top(text, ("\\cup",))
    if len(pieces) > 1:
        return _compound("union", pieces, ordered=False)
    if _OR.search(text) and _THOUSANDS_COMMA.search(text):
        # `1,234 and 5` may be two numbers or three: in doubt it equals no other list.
        return _compound("set with thousands", _at_top(_OR.sub(";", text), (";",)), ordered=False)
    pieces = _at_top(_OR.sub(",", text), (",", ";"))
    if len(pieces) > 1:
        return _compound("set", pieces, ordered=False)
    return _split_bracketed(text)


def _split_matrix(style: str, body: str) -> Compound | None:
    rows = [row.split("&") for row in body.strip().removesuffix("\\\\").split("\\\\")]
    members = [cell.strip() for row in rows for cell in row]
    shape = "x".join(str(len(row)) for row in rows)
    # Round and square brackets mean the same, bars make a determinant.
    return _compound(f"matrix {shape} {style if style in ('v', 'V') else ''}", members, ordered=True)


def _split_bracketed(text: str) -> Compound | None:
    if text.startswith("\\{") and text.endswith("\\}") and _closes_at_the_end(text[1:]):
        return _compound("set", _at_top(text[2:-2], (",", ";")), ordered=False)
    if len(text) > 2 and text[0] in _CLOSING and text[-1] in _CLOSING[text[0]] and _closes_at_the_end(text):
        members = _at_top(text[1:-1], (",", ";"))
        if len(members) > 1 and not _THOUSANDS.fullmatch(text[1:-1]):
            return _compound(f"{text[0]}{text[-1]}", members, ordered=True)
    return None


def _compound(kind: str, members: list[str], *, ordered: bool) -> Compound | None:
    found = tuple(member.strip() for member in members)
    return Compound(kind, found, ordered) if len(found) <= _MOST_MEMBERS and all(found) else None


def _closes_at_the_end(text: str) -> bool:
    depth = 0
    for position, character in enumerate(text):
        depth += (character in "{([") - (character in "})]")
        if depth <= 0:
            return position == len(text) - 1
    return False


def _at_top(text: str, separators: tuple[str, ...]) -> list[str]:
    """Split at separators outside of all brackets; one piece where brackets do not match or nest too deep."""
    pieces, start, depth, position = [], 0, 0, 0
    while position < len(text):
        character = text[position]
        depth += (character in "{([") - (character in "})]")
        if not 0 <= depth <= _DEEPEST:
            return [text]
        separator = next((s for s in separators if depth == 0 and text.startswith(s, position)), None)
        if separator is None:
            position += 1
            continue
        pieces.append(text[start:position])
        position = start = position + len(separator)
    pieces.append(text[start:])
    return pieces if depth == 0 else [text]
