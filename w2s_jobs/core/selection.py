"""Selection: which voted answers are kept as training labels (methods.md, method `confidence`, filter I and II)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Candidate", "passes"]


@dataclass(frozen=True)
class Candidate:
    """What selection knows of a question's vote."""

    count: int
    total: int
    valid: bool
    has_text: bool
    chain_of_thought: bool

    @classmethod
    def of_vote(cls, vote: Mapping[str, Any]) -> Candidate:
        """Read a row of votes.parquet."""
        return cls(
            count=vote["count"],
            total=vote["total"],
            valid=vote["answer"] is not None,
            has_text=bool(vote["text"] and vote["text"].strip()),
            chain_of_thought=vote["chain_of_thought"],
        )


def passes(candidate: Candidate, *, threshold: int | None, require_valid: bool, require_chain_of_thought: bool) -> bool:
    """Tell whether a vote is kept. `threshold` is in percent and inclusive; None keeps whatever has a text.

    The comparison is in whole numbers, so 7 of 10 passes 70 exactly.
    """
    if not candidate.has_text:
        return False
    if require_valid and not candidate.valid:
        return False
    if require_chain_of_thought and not candidate.chain_of_thought:
        return False
    return threshold is None or candidate.count * 100 >= threshold * candidate.total
