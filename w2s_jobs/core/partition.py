"""Partition: where two models agree (paper `reward`, section 4.2, eq. 6).

Three parts come of the two datasets: the consistent labels, in which both agree; the weak-inconsistent labels and the
strong-inconsistent ones, in which each says something else than the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from w2s_jobs.core.selection import has_text

__all__ = ["Label", "are_consistent", "training_pair"]


@dataclass(frozen=True)
class Label:
    """What a model says of a question."""

    answer: str | None
    """final answer, normalised; None: no valid one"""
    text: str | None


def are_consistent(weak: Label, strong: Label, equal: Callable[[str, str], bool]) -> bool:
    """Tell whether both models give a valid answer, and the same: two that give none agree on nothing."""
    if weak.answer is None or strong.answer is None:
        return False
    return weak.answer == strong.answer or equal(weak.answer, strong.answer)


def training_pair(weak: Label, strong: Label, *, consistent: bool) -> tuple[str, bool] | None:
    """Return what the reward model learns of a question: a completion, and whether it is positive.

    A positive is the weak label of a consistent row, a negative the strong label of any other, with or without a valid
    answer. The weak label of an inconsistent row is neither: it is what the reward model is to judge. None: the text is
    blank, and there is nothing to learn from.
    """
    text = weak.text if consistent else strong.text
    return (text, consistent) if text is not None and has_text(text) else None
