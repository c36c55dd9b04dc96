"""What a quota refuses, read from its words, and which steps ask for that."""

from __future__ import annotations

import re
from collections.abc import Collection

from controller.plan.graph import Step
from controller.plan.jobs.quantity import parse_bytes

__all__ = ["asks_for", "exceeded"]

_WORDS = re.compile(r"requested: (?P<requested>\S+), used: \S+, limited: (?P<limited>\S+)")
_MILLI = re.compile(r"\d+m")


def exceeded(message: str) -> frozenset[str]:
    """Return the resources of which a quota has too little left; none where all of the quota would not do.

    Such a Job waits for a person, and not for another Job's end: nobody need wait behind it.
    """
    if (found := _WORDS.search(message)) is None:
        return frozenset()
    requested, limited = (_amounts(found[side]) for side in ("requested", "limited"))
    if any(_number(amount) > _number(limited.get(name, amount)) for name, amount in requested.items()):
        return frozenset()
    return frozenset(requested)


def asks_for(step: Step, resources: Collection[str]) -> bool:
    """Tell whether a step asks for any of these: each has a pod with CPU and memory, not each has a GPU."""
    return any(step.resources.gpus or not _is_device(name) for name in resources)


def _is_device(name: str) -> bool:
    return "/" in name and not name.startswith("count/")


def _amounts(words: str) -> dict[str, str]:
    parts = (part.partition("=") for part in words.split(","))
    return {name: amount for name, _, amount in parts}


def _number(amount: str) -> float:
    if _MILLI.fullmatch(amount):
        return int(amount[:-1]) / 1000
    try:
        return parse_bytes(amount)
    except ValueError:
        return 0.0
