from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import SHARED, missing
from w2s_jobs.core.bootstrap import percentile_interval, resampled_accuracies
from w2s_jobs.core.metrics import accuracy_interval, pgr, pgr_interval, resampled_interval, wilson_interval


def published() -> list[dict[str, str]]:
    table: Path = SHARED / "papers" / "tables" / "overfitting_tables_5_to_8.csv"
    if not table.is_file():
        missing("no ../shared/papers beside the repository (published tables)")
    with table.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_published_pgr_follows_from_the_published_accuracies() -> None:
    rows = published()
    ends = {(r["setting"], r["row"]): float(r["accuracy_pct"]) for r in rows if r["row"] in ("weak", "ceiling")}
    differences = [
        abs(
            100 * (pgr(float(r["accuracy_pct"]), ends[r["setting"], "weak"], ends[r["setting"], "ceiling"]).value or 0)
            - float(r["pgr_pct"])
        )
        for r in rows
    ]
    assert len(rows) == 103
    print(f"largest difference: {max(differences):.3f} points")
    assert max(differences) <= 0.031


def test_pgr_is_null_with_its_reason_where_there_is_no_gap() -> None:
    found = pgr(0.5, 0.4, 0.4)
    assert found.value is None
    assert found.reason == "ceiling and weak have the same accuracy: there is no gap to recover"


def test_pgr_is_null_with_its_reason_where_a_baseline_is_missing() -> None:
    assert pgr(0.5, 0.4, None).reason == "the experiment has no baseline ceiling"
    assert pgr(0.5, None, None).reason == "the experiment has no baseline weak and ceiling"


@pytest.mark.parametrize(("transfer", "expected"), [(0.4, 0.0), (0.8, 1.0), (0.9, 1.25), (0.3, -0.25)])
def test_pgr_is_the_share_of_the_gap(transfer: float, expected: float) -> None:
    assert pgr(transfer, 0.4, 0.8).value == pytest.approx(expected)


def test_resamples_keep_the_pairing_of_models() -> None:
    better = np.array([[True] * 30 + [False] * 70, [True] * 60 + [False] * 40])
    weak, strong = resampled_accuracies(better, 500, seed=1)
    assert (strong >= weak).all(), "a model that is right wherever the other is, is never worse in a resample"


def test_the_interval_covers_the_truth_about_as_often_as_it_says(seed: int) -> None:
    generator = np.random.default_rng(seed)
    covered = 0
    for number in range(200):
        interval = accuracy_interval(generator.random(200) < 0.6, 400, 0.95, seed=number)
        assert interval is not None
        covered += interval.low <= 0.6 <= interval.high
    assert covered >= 176, f"{covered} of 200 intervals at 95 %"


@pytest.mark.parametrize(
    ("right", "questions", "low", "high"),
    # Newcombe 1998, table I, method 3 (the score interval without continuity correction).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_score_interval_is_the_published_one(right: int, questions: int, low: float, high: float) -> None:
    found = wilson_interval(right / questions, questions, 0.95)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize("right", [False, True])
def test_none_or_all_of_n_right_is_not_taken_for_certain(right: bool) -> None:
    interval = accuracy_interval(np.full(32, right), 500, 0.95, seed=0)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((0.8928, 1.0) if right else (0.0, 0.1072), abs=1e-4)


def test_a_mean_over_seeds_that_never_varies_has_a_score_interval_too() -> None:
    """One seed right on everything, one on nothing: every resample has the same mean."""
    interval = resampled_interval(0.5, np.full(100, 0.5), questions=40, confidence_level=0.9)
    assert interval == wilson_interval(0.5, 40, 0.9)


def test_an_accuracy_between_keeps_its_bootstrap_interval() -> None:
    correct = np.arange(40) < 1
    resampled = resampled_accuracies(correct[None, :], 500, seed=2)[0]
    assert accuracy_interval(correct, 500, 0.95, seed=2) == percentile_interval(resampled, 0.95)


def test_equal_seeds_give_equal_intervals() -> None:
    correct = np.arange(50) % 3 == 0
    assert accuracy_interval(correct, 500, 0.95, seed=3) == accuracy_interval(correct, 500, 0.95, seed=3)


def test_there_is_no_interval_of_pgr_where_most_resamples_have_no_gap() -> None:
    same = np.full(100, 0.5)
    assert pgr_interval(np.full(100, 0.6), same, same, 0.95) is None


def test_values_that_are_not_finite_are_left_out_of_an_interval() -> None:
    interval = percentile_interval(np.array([1.0, 2.0, 3.0, np.nan]), 0.9)
    assert interval is not None
    assert interval.low >= 1.0
