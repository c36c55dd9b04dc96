"""Label correctness and coverage: what a threshold keeps, and how much of it is right (paper `confidence`, fig. 3)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from w2s_jobs.contracts.analyses import ThresholdLabels
from w2s_jobs.contracts.results import RoundLabels, TrainingSet

__all__ = ["KeptLabels", "LabelJudge", "Votes", "correctness_at", "threshold_curve", "training_set"]

_MOST_THRESHOLDS = 20


@dataclass(frozen=True, eq=False)
class KeptLabels:
    """Rows that one selection kept, and how many questions it was offered."""

    row_ids: Sequence[str]
    answers: Sequence[str | None]
    offered: int | None


@dataclass(frozen=True, eq=False)
class Votes:
    """The votes of one round: parallel columns."""

    row_ids: Sequence[str]
    answers: Sequence[str | None]
    counts: Sequence[int]
    totals: Sequence[int]
    reasoned: Sequence[bool] | None = None
    """did the winning sample reason before its answer; None: all did"""


class LabelJudge:
    """Compares labels with the gold of the unlabelled split; a pair of answers is compared once."""

    def __init__(self, gold: Mapping[str, str | None], equal: Callable[[str, str], bool]) -> None:
        """`gold` is by row id; without any the judge knows of no label whether it is right."""
        self._gold = gold
        self._equal = equal
        self._known: dict[tuple[str, str], bool] = {}

    def count_right(self, row_ids: Sequence[str], answers: Sequence[str | None]) -> int | None:
        """Count the labels that agree with gold; None when there is no gold."""
        if not self._gold:
            return None
        return sum(self.is_right(row_id, answer) for row_id, answer in zip(row_ids, answers, strict=True))

    def is_right(self, row_id: str, answer: str | None) -> bool:
        """Tell whether a label agrees with gold; a label without an answer never does."""
        gold = self._gold.get(row_id)
        if answer is None or gold is None:
            return False
        if answer == gold:
            return True
        pair = (answer, gold)
        if pair not in self._known:
            self._known[pair] = self._equal(answer, gold)
        return self._known[pair]


def training_set(rounds: Sequence[KeptLabels], judge: LabelJudge, unlabelled: int | None) -> TrainingSet:
    """Describe the union of what the rounds kept (they are disjoint: a later round is offered the rest)."""
    listed = tuple(
        RoundLabels(offered=kept.offered, kept=len(kept.row_ids), correct=judge.count_right(kept.row_ids, kept.answers))
        for kept in rounds
    )
    size = sum(labels.kept for labels in listed)
    known = [labels.correct for labels in listed if labels.correct is not None]
    return TrainingSet(
        size=size,
        coverage=round(size / unlabelled, 6) if unlabelled else None,
        label_correctness=round(sum(known) / size, 6) if size and len(known) == len(listed) else None,
        rounds=listed,
    )


def threshold_curve(votes: Votes, judge: LabelJudge, seed: int) -> tuple[ThresholdLabels, ...]:
    """Say for every threshold that the votes can tell apart what it would keep, whether or not it was trained on."""
    columns = zip(votes.row_ids, votes.answers, votes.counts, votes.totals, strict=True)
    # Only whole percents are compared, as `select` does; a vote of 7 in 10 passes 70 and fails 71.
    passed = [
        (count * 100 // total, judge.is_right(row_id, answer))
        for row_id, answer, count, total in columns
        if answer is not None and total
    ]
    known = judge.count_right((), ()) is not None
    curve = []
    for threshold in _thresholds(votes.totals):
        right = [is_right for reached, is_right in passed if reached >= threshold]
        curve.append(
            ThresholdLabels(
                seed=seed,
                threshold=threshold,
                kept=len(right),
                coverage=round(len(right) / len(votes.row_ids), 6),
                label_correctness=round(sum(right) / len(right), 6) if known and right else None,
            )
        )
    return tuple(curve)


def correctness_at(votes: Votes, judge: LabelJudge, threshold: int, *, reasoned_only: bool) -> tuple[int, float | None]:
    """Count what a threshold keeps of any round's votes, and the share of it that is right (None: nothing or no gold).

    `reasoned_only` drops answers without reasoning, as the selections of round 2 on may do (paper, appendix A.2).
    """
    reasoned = votes.reasoned if reasoned_only and votes.reasoned is not None else [True] * len(votes.row_ids)
    columns = zip(votes.row_ids, votes.answers, votes.counts, votes.totals, reasoned, strict=True)
    kept = [
        (row_id, answer)
        for row_id, answer, count, total, has_reasoned in columns
        if answer is not None and has_reasoned and count * 100 >= threshold * total
    ]
    right = judge.count_right([row_id for row_id, _ in kept], [answer for _, answer in kept])
    return len(kept), None if right is None or not kept else round(right / len(kept), 6)


def _thresholds(totals: Sequence[int]) -> list[int]:
    """List the thresholds that differ in what they keep: one for each count of votes, at most 20."""
    total = max(totals, default=0)
    parts = min(total, _MOST_THRESHOLDS)
    return sorted({math.ceil(100 * part / parts) for part in range(1, parts + 1)})
