from __future__ import annotations

import dataclasses
import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_jobs.core.selection import Candidate, clean, draw, passes


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


@pytest.mark.parametrize(
    ("reward", "expected", "reason"),
    [
        (0.51, True, "above it is kept"),
        (0.5, False, "a reward model that cannot tell is no reason to keep"),
        (math.nextafter(0.5, 1), True, "the next number above is more"),
        (None, False, "without a judgement there is none to pass"),
        (math.nan, False, "and that which is no number passes nothing"),
    ],
)
def test_the_reward_must_exceed_the_bound(reward: float | None, expected: bool, reason: str) -> None:
    candidate = dataclasses.replace(a_vote(10), reward=reward)
    found = passes(candidate, threshold=None, require_valid=True, require_chain_of_thought=False, min_reward=0.5)
    assert found is expected, reason


row_sets = st.sets(st.text("abcdef0123456789-", min_size=1, max_size=8), max_size=30)


@given(row_sets, st.integers(0, 40), st.integers(0, 40), st.integers(0, 2**32 - 1), st.randoms(use_true_random=False))
def test_a_draw_is_of_its_size_whatever_the_order_and_larger_draws_hold_smaller_ones(
    rows: set[str], one: int, other: int, seed: int, shuffled: random.Random
) -> None:
    small, large = sorted((one, other))
    order = sorted(rows)
    shuffled.shuffle(order)
    drawn = draw(order, large, seed)
    assert drawn == draw(rows, large, seed)
    assert len(drawn) == min(large, len(rows))
    assert draw(rows, small, seed) <= drawn <= rows


def test_every_row_and_every_pair_is_equally_likely_to_be_drawn() -> None:
    rows = [f"gsm8k-{number:02d}" for number in range(12)]
    draws, size = 6000, 5
    times = np.zeros((len(rows), len(rows)))
    for seed in range(draws):
        inside = np.isin(rows, sorted(draw(rows, size, seed))).astype(float)
        times += np.outer(inside, inside)
    share = size / len(rows)
    single = np.diag(times) / draws
    pairs = times[np.triu_indices(len(rows), 1)] / draws
    # Five standard errors: with fixed seeds this never changes, and a bias of 3 points would show.
    assert np.abs(single - share).max() < 5 * math.sqrt(share * (1 - share) / draws)
    both = share * (size - 1) / (len(rows) - 1)
    assert np.abs(pairs - both).max() < 5 * math.sqrt(both * (1 - both) / draws)
    spread = draws * ((single - share) ** 2).sum() / (share * (1 - share)) * (len(rows) - 1) / len(rows)
    assert spread < 31.3, "chi-square with 11 degrees of freedom is larger once in a thousand"


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=5), st.booleans(), max_size=30),
    st.integers(0, 100),
    st.integers(0, 100),
    st.integers(0, 2**32 - 1),
)
def test_clean_labels_are_right_and_more_noise_adds_wrong_ones_to_those_of_less(
    right: dict[str, bool], one: int, other: int, seed: int
) -> None:
    low, high = sorted((one, other))
    right_rows = {row for row, is_right in right.items() if is_right}
    assert clean(right, 0, seed) == right_rows
    assert clean(right, 100, seed) == right.keys()
    assert right_rows <= clean(right, low, seed) <= clean(right, high, seed)
    wrong = len(right) - len(right_rows)
    assert abs(len(clean(right, high, seed)) - len(right_rows) - wrong * high / 100) <= 0.5
    assert clean(dict(reversed(right.items())), high, seed) == clean(right, high, seed)
