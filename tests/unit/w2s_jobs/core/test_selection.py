from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_jobs.core.selection import Candidate, passes


def a_vote(count: int, total: int = 10, **changes: bool) -> Candidate:
    given_ = {"valid": True, "has_text": True, "chain_of_thought": True, **changes}
    return Candidate(count=count, total=total, **given_)


def kept(candidate: Candidate, threshold: int | None, **changes: bool) -> bool:
    rules = {"require_valid": True, "require_chain_of_thought": False, **changes}
    return passes(candidate, threshold=threshold, **rules)


@pytest.mark.parametrize(
    ("count", "total", "threshold", "expected", "reason"),
    [
        (7, 10, 70, True, "the threshold is inclusive"),
        (6, 10, 70, False, "below it is discarded"),
        (10, 10, 100, True, "a threshold of 100 % exists"),
        (2, 3, 67, False, "two of three are 66.67 %, less than 67"),
        (2, 3, 66, True, "and more than 66: no rounding"),
        (0, 10, 0, True, "0 keeps everything that is valid"),
    ],
)
def test_the_threshold_is_inclusive_and_exact(
    count: int, total: int, threshold: int, expected: bool, reason: str
) -> None:
    assert kept(a_vote(count, total), threshold) is expected, reason


def test_an_invalid_vote_is_kept_only_where_validity_is_not_asked_for() -> None:
    assert not kept(a_vote(0, valid=False), None)
    assert kept(a_vote(0, valid=False), None, require_valid=False)


def test_answers_without_reasoning_are_dropped_where_chain_of_thought_is_asked_for() -> None:
    assert not kept(a_vote(10, chain_of_thought=False), 50, require_chain_of_thought=True)
    assert kept(a_vote(10, chain_of_thought=False), 50)


def test_an_empty_text_is_never_learnt_from() -> None:
    assert not kept(a_vote(10, has_text=False), None, require_valid=False)


@given(st.integers(0, 20), st.integers(1, 20), st.integers(0, 100), st.integers(0, 100))
def test_raising_the_threshold_never_keeps_more(count: int, total: int, low: int, high: int) -> None:
    low, high = sorted((low, high))
    candidate = a_vote(min(count, total), total)
    assert kept(candidate, low) >= kept(candidate, high)
