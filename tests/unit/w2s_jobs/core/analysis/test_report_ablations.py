from __future__ import annotations

import numpy as np
import pytest

from tests.support.comparison import a_point, compare_points, right
from w2s_jobs.contracts.report import ReportPoint
from w2s_jobs.core.analysis.ablations import filter_effects, form_comparisons, iterations

Given = dict[ReportPoint, np.ndarray]


def test_the_filter_is_judged_by_its_best_threshold_and_without_it_by_all_labels() -> None:
    """Table 1 of the paper, Stage I 50 %: origin 78.99, with filter 80.89 (+1.90), without 78.31 (-0.68)."""
    given = {
        a_point("round", 50): right(7899, 10_000),
        a_point("round", 50, 50): right(8028, 10_000),
        a_point("round", 50, 60): right(8089, 10_000),
        a_point("unfiltered", 50): right(7831, 10_000),
    }
    comparison = compare_points(given)
    (effect,) = filter_effects(comparison.settings({}), comparison)
    assert (effect.origin, effect.filtered, effect.among, effect.unfiltered) == (
        "round1/t50",
        "round2/t50-60",
        2,
        "unfiltered/t50",
    )
    assert effect.filtered_gain.value == pytest.approx(0.0190)
    assert effect.unfiltered_gain.value == pytest.approx(-0.0068)
    assert effect.filter_gain.value == pytest.approx(0.0258)
    assert effect.filter_gain.better


def test_a_threshold_without_round_two_still_shows_what_no_filter_does() -> None:
    comparison = compare_points({a_point("round", 50): right(70), a_point("unfiltered", 50): right(60)})
    (effect,) = filter_effects(comparison.settings({}), comparison)
    assert (effect.filtered, effect.among, effect.filtered_gain, effect.filter_gain) == (None, 0, None, None)
    assert effect.unfiltered_gain.value == pytest.approx(-0.1)


def test_the_way_to_the_best_of_the_last_round_is_named_with_its_siblings() -> None:
    given = {
        a_point("conventional"): right(40),
        a_point("round", 50): right(70),
        a_point("round", 70): right(60),
        a_point("round", 50, 60): right(71),
        a_point("round", 70, 60): right(72),
        a_point("round", 70, 60, 80): right(73),
        a_point("round", 70, 60, 90): right(75),
        a_point("round", 50, 60, 80): right(74),
    }
    comparison = compare_points(given)
    assert iterations(comparison.settings({}), comparison.best()) == (
        "conventional",
        "round1/t70",
        "round2/t70-60",
        "round3/t70-60-80",
        "round3/t70-60-90",
    )


def test_one_round_has_no_way() -> None:
    comparison = compare_points({a_point("round", 50): right(70)})
    assert iterations(comparison.settings({}), comparison.best()) == ()


def test_bare_answers_are_compared_model_by_model() -> None:
    given = {
        a_point("weak"): right(75),
        a_point("direct-weak"): right(15),
        a_point("ceiling"): right(80),
        a_point("conventional"): right(76),
        a_point("direct"): right(14),
    }
    comparison = compare_points(given)
    found = form_comparisons(comparison.settings({}), comparison)
    assert [(form.chain_of_thought, form.direct) for form in found] == [
        ("weak", "direct-weak"),
        ("conventional", "direct"),
    ]
    assert [form.difference.value for form in found] == [pytest.approx(-0.6), pytest.approx(-0.62)]
    assert all(form.difference.worse for form in found)
