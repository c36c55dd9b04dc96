from __future__ import annotations

import numpy as np
import pytest

from tests.support.comparison import a_point, right
from w2s_jobs.contracts.report import ReportParams, ReportPoint
from w2s_jobs.contracts.results import Results
from w2s_jobs.contracts.settings import TaskSettings
from w2s_jobs.core.analysis.assemble import build_results
from w2s_jobs.core.analysis.evidence import Evidence


def results(given: dict[ReportPoint, np.ndarray]) -> Results:
    params = ReportParams(title="t", task=TaskSettings(family="gsm8k"), points=tuple(given), resamples=100)
    evidence = Evidence(correct={point.evaluate: answers for point, answers in given.items()})
    return build_results(params, evidence, str.__eq__)


def notes(given: dict[ReportPoint, np.ndarray]) -> str:
    return " ".join(results(given).notes)


def test_an_accuracy_of_zero_is_not_called_certain() -> None:
    (weak, _) = results({a_point("weak"): right(0, 300), a_point("ceiling"): right(200, 300)}).points
    assert weak.accuracy.value == 0
    assert weak.accuracy.interval is not None
    assert weak.accuracy.interval.high == pytest.approx(0.0126, abs=1e-4)  # Wilson: z^2 / (n + z^2)


def test_few_seeds_are_said_to_make_intervals_too_narrow() -> None:
    assert "Intervals over 2 seeds" in notes({a_point("round", 50, seed=seed): right(60) for seed in (0, 1)})
    assert "One seed" in notes({a_point("round", 50): right(60)})


def test_the_choice_of_the_best_is_allowed_for_only_where_there_is_something_to_compare_with() -> None:
    given = {a_point("round", 50): right(60), a_point("round", 70): right(65)}
    assert "allows for the choice" not in notes(given)
    assert "allows for the choice" in notes({**given, a_point("conventional"): right(50)})


def test_every_analysis_without_data_is_named_once() -> None:
    omitted = results({a_point("weak"): right(50)}).omitted
    assert len({o.analysis for o in omitted}) == len(omitted) == 10
