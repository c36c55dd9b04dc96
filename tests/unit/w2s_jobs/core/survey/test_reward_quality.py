from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_jobs.core.survey.rewards import area_under_curve, calibration_bins, judge_rewards, roc_points

LABELS = st.lists(
    st.tuples(st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1)), st.booleans()), min_size=1, max_size=120
)


def columns(labels: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([reward for reward, _ in labels]), np.array([right for _, right in labels], dtype=bool)


@given(LABELS)
def test_auc_is_the_chance_that_a_right_label_has_the_higher_reward(labels: list[tuple[float, bool]]) -> None:
    rewards, right = columns(labels)
    pairs = [(a > b) + (a == b) / 2 for a in rewards[right] for b in rewards[~right]]
    found = area_under_curve(rewards, right)
    assert (found is None) == (not pairs)
    if pairs:
        assert found == pytest.approx(np.mean(pairs))


@given(st.floats(0, 1), st.lists(st.booleans(), min_size=2, max_size=50))
def test_a_constant_reward_has_an_auc_of_one_half(reward: float, right: list[bool]) -> None:
    if len(set(right)) == 2:
        assert area_under_curve(np.full(len(right), reward), np.array(right)) == 0.5


@given(LABELS, st.permutations(range(120)))
def test_the_order_of_labels_changes_nothing(labels: list[tuple[float, bool]], order: list[int]) -> None:
    rewards, right = columns(labels)
    shuffled = [i for i in order if i < len(labels)]
    one = judge_rewards(rewards, right, 0.5, ("w", "s"), None)
    other = judge_rewards(rewards[shuffled], right[shuffled], 0.5, ("w", "s"), None)
    assert one.auc == other.auc
    assert one.roc == other.roc
    assert [(b.low, b.labels, b.right) for b in one.calibration] == [
        (b.low, b.labels, b.right) for b in other.calibration
    ]


@given(LABELS)
def test_calibration_holds_every_label_once(labels: list[tuple[float, bool]]) -> None:
    rewards, right = columns(labels)
    bins = list(calibration_bins(rewards, right))
    assert sum(b.labels for b in bins) == len(labels)
    assert sum(b.labels * b.right for b in bins) == pytest.approx(right.sum(), abs=1e-3)
    assert all(b.low - 1e-6 <= b.mean_reward <= b.high + 1e-6 for b in bins)


@given(LABELS, st.floats(0, 1))
def test_a_roc_curve_goes_from_nothing_to_everything_and_never_back(
    labels: list[tuple[float, bool]], cutoff: float
) -> None:
    rewards, right = columns(labels)
    curve = list(roc_points(rewards, right, cutoff))
    if right.all() or not right.any():
        assert curve == []
        return
    places = [(p.false_positive_rate, p.true_positive_rate) for p in curve]
    assert places[0] == (0, 0)
    assert places[-1] == (1, 1)
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(places))
    assert len(places) <= 50
    assert any(p.cutoff == pytest.approx(cutoff, abs=1e-6) for p in curve)


def test_a_perfect_reward_model_is_right_about_every_label() -> None:
    right = np.array([True, False, True, False, False])
    found = judge_rewards(np.where(right, 0.9, 0.1), right, 0.5, ("w", "s"), "scan")
    assert (found.accuracy, found.auc) == (1, 1)
    assert [(b.low, b.right) for b in found.calibration] == [(0.1, 0), (0.9, 1)]


def test_without_a_wrong_label_there_is_no_auc_but_an_accuracy() -> None:
    found = judge_rewards(np.array([0.9, 0.2]), np.array([True, True]), 0.5, ("w", "s"), None)
    assert found.auc is None
    assert found.accuracy == 0.5
