"""Selection: which labels are kept to learn from.

By confidence: methods.md, method `confidence`, filter I and II. By reward, at random, and clean with noise: methods.md,
method `reward` (paper `reward`, sections 3.6 and 4.2, table 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Candidate", "clean", "draw", "has_text", "passes"]


def has_text(text: str | None) -> bool:
    """Tell whether a text says anything: a blank one is never learnt from."""
    return bool(text and text.strip())


@dataclass(frozen=True)
class Candidate:
    """What selection knows of a question's vote."""

    count: int
    total: int
    valid: bool
    has_text: bool
    chain_of_thought: bool
    reward: float | None = None
    """sigmoid of the reward model's judgement, in 0..1; None where none was asked for"""

    @classmethod
    def of_vote(cls, vote: Mapping[str, Any], reward: float | None = None) -> Candidate:
        """Read a row of votes.parquet, and its reward where there is one."""
        return cls(
            count=vote["count"],
            total=vote["total"],
            valid=vote["answer"] is not None,
            has_text=has_text(vote["text"]),
            chain_of_thought=vote["chain_of_thought"],
            reward=reward,
        )


def passes(
    candidate: Candidate,
    *,
    threshold: int | None,
    require_valid: bool,
    require_chain_of_thought: bool,
    min_reward: float | None = None,
) -> bool:
    """Tell whether a vote is kept: it has a text, and meets every condition that is set.

    `threshold` is in percent and inclusive, in whole numbers, so 7 of 10 passes 70 exactly. `min_reward` must be
    exceeded: at 0.5 the reward model must hold the label for more likely positive than not. None sets no condition.
    """
    if not candidate.has_text:
        return False
    if require_valid and not candidate.valid:
        return False
    if require_chain_of_thought and not candidate.chain_of_thought:
        return False
    if min_reward is not None and not (candidate.reward is not None and candidate.reward > min_reward):
        return False
    return threshold is None or candidate.count * 100 >= threshold * candidate.total


def draw(row_ids: Iterable[str], size: int, seed: int) -> set[str]:
    """Draw rows uniformly without replacement: `size` of them, or all if there are fewer.

    The same rows give the same draw in whatever order they come, and a larger draw holds every smaller one.
    """
    ordered = sorted(row_ids)
    places = np.random.default_rng(seed).permutation(len(ordered))[:size]
    return {ordered[place] for place in places}


def clean(right: Mapping[str, bool], noise: int, seed: int) -> set[str]:
    """Return the rows whose label is right, and `noise` percent of the others: rounded half up, drawn with the seed.

    More noise keeps what less noise keeps; 0 keeps what is right, 100 everything.
    """
    wrong = [row_id for row_id, is_right in right.items() if not is_right]
    share = (len(wrong) * noise + 50) // 100
    return (right.keys() - set(wrong)) | draw(wrong, share, seed)
