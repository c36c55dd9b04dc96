from __future__ import annotations

import numpy as np
import pytest

from tests.support.comparison import BOOTSTRAP, a_point, key, right
from w2s_jobs.contracts.report import ReportPoint
from w2s_jobs.contracts.results import ExtraTestResult
from w2s_jobs.core.analysis.evidence import Evidence
from w2s_jobs.core.analysis.extra_test import compare_extra_test
from w2s_jobs.core.analysis.resampling import estimate_all


def both(role: str, *thresholds: int) -> ReportPoint:
    return a_point(role, *thresholds, evaluate_extra=key(f"extra {role}{thresholds}"))


def compared(given: dict[ReportPoint, tuple[np.ndarray, np.ndarray | None]]) -> ExtraTestResult | None:
    alone = {point.evaluate: test for point, (test, _) in given.items()}
    extra = {p.evaluate_extra: e for p, (_, e) in given.items() if e is not None and p.evaluate_extra is not None}
    evidence = Evidence(correct=alone, correct_extra=extra)
    return compare_extra_test(tuple(given), evidence, estimate_all(alone, BOOTSTRAP), BOOTSTRAP)


def test_both_splits_together_count_every_question_once() -> None:
    """Table 4 of the paper in small: 11.4 % of 500 is 57, 9.34 % of 5,000 is 467, so 410 of the other 4,500."""
    found = compared(
        {
            both("weak"): (right(57, 500), right(410, 4500)),
            both("ceiling"): (right(98, 500), right(908, 4500)),
            both("round", 30): (right(106, 500), right(892, 4500)),
        }
    )
    assert found is not None
    assert (found.questions, found.questions_together) == (500, 5000)
    accuracies = {s.name: s.accuracy.value for s in found.settings}
    assert accuracies == {"weak": 0.0934, "round1/t30": 0.1996, "ceiling": 0.2012}
    pgr = next(s.pgr for s in found.settings if s.name == "round1/t30")
    assert pgr.value == pytest.approx(0.9852, abs=1e-4), "the paper prints 98.52 %"


def test_more_questions_give_shorter_intervals() -> None:
    found = compared({both("weak"): (right(50, 100), right(450, 900))})
    assert found is not None
    together = found.settings[0].accuracy.interval
    alone = np.quantile(estimate_all({"w": right(50, 100)}, BOOTSTRAP)["w"].resampled, [0.025, 0.975])
    assert together.high - together.low < 0.5 * (alone[1] - alone[0])


def test_a_shift_is_called_one_only_beyond_its_interval() -> None:
    found = compared(
        {both("weak"): (right(50, 100), right(450, 900)), both("ceiling"): (right(90, 100), right(450, 900))}
    )
    assert found is not None
    shifts = {shift.to: shift for shift in found.shifts}
    assert (shifts["weak"].value, shifts["weak"].better, shifts["weak"].worse) == (0, False, False)
    assert shifts["ceiling"].value == pytest.approx(0.54 - 0.9)
    assert shifts["ceiling"].worse


def test_points_that_were_not_evaluated_on_the_extra_split_are_left_out() -> None:
    found = compared({both("weak"): (right(5, 10), right(5, 10)), a_point("ceiling"): (right(9, 10), None)})
    assert found is not None
    assert [setting.name for setting in found.settings] == ["weak"]


def test_without_an_extra_split_there_is_nothing_to_compare() -> None:
    assert compared({a_point("weak"): (right(5, 10), None)}) is None
