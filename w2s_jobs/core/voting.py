"""Votes: samples are grouped by equal answers, and the largest group wins (paper `confidence`, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Equality", "Vote", "group_answers", "vote"]


class Equality(Protocol):
    """The part of a task family that voting needs."""

    def equal(self, a: str, b: str) -> bool:
        """Tell whether two answers mean the same."""

    def canonical(self, answer: str) -> str | None:
        """Return a string shared by all answers known to be equal without comparison, or None."""


@dataclass(frozen=True)
class Vote:
    """The outcome of one question's vote. Confidence is `count / total`."""

    answer: str | None
    """winning answer; None when no sample had a valid one"""
    count: int
    valid: int
    total: int
    sample: int
    """first sample that carries the winning answer; -1 when there is none"""


def group_answers(answers: Sequence[str | None], equality: Equality) -> list[int]:
    """Give each answer the number of its group; groups are numbered by first appearance, -1 is invalid.

    Answers with the same canonical form are equal without being compared; only the others are compared, each with the
    first answer of every group so far.
    """
    by_canonical: dict[str, int] = {}
    leaders: list[tuple[str, bool]] = []
    groups: list[int] = []
    for answer in answers:
        if answer is None:
            groups.append(-1)
            continue
        canonical = equality.canonical(answer)
        key = f"c:{canonical}" if canonical is not None else f"r:{answer}"
        group = by_canonical.get(key)
        if group is None:
            group = _find_equal(answer, canonical is not None, leaders, equality.equal)
            if group is None:
                group = len(leaders)
                leaders.append((answer, canonical is not None))
            by_canonical[key] = group
        groups.append(group)
    return groups


def _find_equal(
    answer: str, has_canonical: bool, leaders: Sequence[tuple[str, bool]], equal: Callable[[str, str], bool]
) -> int | None:
    for group, (leader, leader_has_canonical) in enumerate(leaders):
        # Two canonical forms that differ are two answers: nothing to compare.
        if has_canonical and leader_has_canonical:
            continue
        if equal(answer, leader):
            return group
    return None


def vote(answers: Sequence[str | None], groups: Sequence[int]) -> Vote:
    """Count the groups. A tie goes to the group whose first sample comes first **[ours]**; invalid never wins."""
    counts: dict[int, int] = {}
    first: dict[int, int] = {}
    for sample, group in enumerate(groups):
        if group >= 0:
            counts[group] = counts.get(group, 0) + 1
            first.setdefault(group, sample)
    valid = sum(counts.values())
    if not counts:
        return Vote(answer=None, count=0, valid=0, total=len(answers), sample=-1)
    winner = min(counts, key=lambda group: (-counts[group], first[group]))
    sample = first[winner]
    return Vote(answer=answers[sample], count=counts[winner], valid=valid, total=len(answers), sample=sample)
