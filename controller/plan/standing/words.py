"""Words for people, cut to what a status may hold. Lengths are bytes of UTF-8, since those are what etcd stores."""

from __future__ import annotations

from collections.abc import Sequence

from controller.api.status import LONGEST_MESSAGE

__all__ = ["LONGEST_WORDS", "clip", "clip_end", "count", "listed"]

LONGEST_WORDS = 700
"""Bytes that are kept of what a container said last"""
_CUT = "…"


def clip(text: str, longest: int = LONGEST_MESSAGE) -> str:
    """Cut a text at its end to at most `longest` bytes."""
    data = text.encode(errors="replace")
    if len(data) <= longest:
        return data.decode()
    return data[: longest - len(_CUT.encode())].decode(errors="ignore") + _CUT


def clip_end(text: str, longest: int = LONGEST_MESSAGE) -> str:
    """Keep the end of a text, where a program says why it stops: at most `longest` bytes."""
    data = text.strip().encode(errors="replace")
    if len(data) <= longest:
        return data.decode()
    return _CUT + data[len(_CUT.encode()) - longest :].decode(errors="ignore")


def count(number: int, noun: str) -> str:
    """Write a number with its noun: `1 step`, `2 steps`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def listed(names: Sequence[str], most: int = 3) -> str:
    """List names, the first few of them: `a, b, c and 4 more`."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), *names[-1:]])
