from __future__ import annotations

import numpy as np
import pytest

from tests.support.comparison import BOOTSTRAP, a_point, compare_points, key, right
from w2s_jobs.contracts.analyses import ChosenResult
from w2s_jobs.contracts.choices import CandidateThreshold, ChosenThreshold
from w2s_jobs.contracts.report import ReportChoice, ReportPoint
from w2s_jobs.contracts.settings import Threshold
from w2s_jobs.core.analysis.choices import judge_choices, regret_of
from w2s_jobs.core.analysis.evidence import Evidence
from w2s_jobs.core.analysis.labels import LabelJudge, Votes
from w2s_jobs.core.analysis.resampling import Estimate

GOLD = {"a": "1", "b": "2", "c": "3", "d": "4"}
VOTES = Votes(["a", "b", "c", "d"], ["1", "2", "9", "4"], [10, 8, 6, 5], [10] * 4, [True, True, True, False])
"""kept at 60: a, b, c, two of them right; at 50 also d, right but without reasoning"""
GRADE = key("grade")


def a_choice(
    rule: str, seed: int = 0, after: tuple[Threshold, ...] = (), *, swept: bool = True, reasoned: bool = False
) -> ReportChoice:
    return ReportChoice(
        choose=key(f"{rule}{after}{seed}"),
        rule=rule,  # type: ignore[arg-type]
        seed=seed,
        after=after,
        swept=swept,
        require_chain_of_thought=reasoned,
    )


def chosen(threshold: int, *candidates: tuple[int, int, float | None]) -> ChosenThreshold:
    rows = candidates or ((threshold, 3, 0.9),)
    return ChosenThreshold(
        rule="agreement",
        threshold=threshold,
        questions=4,
        candidates=tuple(
            CandidateThreshold(threshold=t, kept=kept, estimated_correctness=share, score=0.0)
            for t, kept, share in rows
        ),
    )


def judge(
    given: dict[ReportPoint, np.ndarray], choices: dict[ReportChoice, ChosenThreshold]
) -> tuple[ChosenResult, ...]:
    evidence = Evidence(
        correct={},
        gold=GOLD,
        votes={GRADE: VOTES},
        chosen={choice.choose: found for choice, found in choices.items()},
    )
    return judge_choices(tuple(choices), tuple(given), compare_points(given), evidence, LabelJudge(GOLD, str.__eq__))


def a_round(*thresholds: Threshold, seed: int = 0) -> ReportPoint:
    return a_point("round", *thresholds, seed=seed, grades=(GRADE,) * len(thresholds))


SWEEP = {a_round(50): right(60), a_round(60): right(70), a_round(80): right(66)}


def test_the_regret_is_the_distance_to_the_best_threshold_of_the_sweep() -> None:
    (found,) = judge(SWEEP, {a_choice("agreement"): chosen(80)})
    assert (found.threshold, found.accuracy.value, found.best_threshold, found.best_accuracy) == (80, 0.66, 60, 0.7)
    assert found.regret.value == pytest.approx(0.04)


def test_the_best_threshold_itself_has_no_regret_but_an_interval_that_may_reach_above_zero() -> None:
    near = {a_round(50): right(60), a_round(60): np.roll(right(61), 3)}
    (found,) = judge(near, {a_choice("agreement"): chosen(60)})
    assert found.regret.value == 0
    assert found.regret.interval.low == 0
    assert found.regret.interval.high > 0, "50 may be the better one on other questions"
    assert not found.regret.better


def test_the_regret_against_a_clearly_better_threshold_excludes_zero() -> None:
    (found,) = judge({a_round(50): right(30), a_round(60): right(80)}, {a_choice("agreement"): chosen(50)})
    assert found.regret.better
    assert found.regret.interval.low > 0


def test_regret_takes_the_lower_of_equal_thresholds() -> None:
    same = Estimate(0.5, np.full(10, 0.5))
    best, regret = regret_of({80: same, 60: same}, same, "chosen", BOOTSTRAP.confidence_level)
    assert (best, regret.value, regret.interval.low, regret.interval.high) == (60, 0, 0, 0)


def test_expected_and_true_correctness_are_about_the_same_kept_labels() -> None:
    (found,) = judge(SWEEP, {a_choice("agreement"): chosen(60, (50, 4, 0.8), (60, 3, 0.9))})
    assert (found.kept, found.estimated_correctness) == (3, 0.9)
    assert found.correctness == pytest.approx(2 / 3, abs=1e-6)
    assert [(row.threshold, row.estimated, row.true) for row in found.calibration] == [
        (50, 0.8, 0.75),
        (60, 0.9, pytest.approx(2 / 3, abs=1e-6)),
    ]


def test_labels_without_reasoning_count_only_where_the_selection_keeps_them() -> None:
    given = {a_round(60): right(60), a_round(60, 50): right(70), a_round(60, 80): right(65)}
    (loose,) = judge(given, {a_choice("agreement", after=(60,)): chosen(50, (50, 4, 0.8))})
    assert loose.correctness == 0.75
    (found,) = judge(given, {a_choice("agreement", after=(60,), reasoned=True): chosen(50, (50, 3, 0.8))})
    assert found.correctness == pytest.approx(2 / 3, abs=1e-6), "d is right, but its text does not reason"
    assert (found.best_threshold, found.regret.value) == (50, 0)


def test_a_rule_with_a_training_of_its_own_is_judged_by_that() -> None:
    given = {**SWEEP, a_round("agreement"): right(72)}
    (found,) = judge(given, {a_choice("agreement", swept=False): chosen(70, (70, 2, 0.9))})
    assert found.accuracy.value == 0.72
    assert found.regret.value == pytest.approx(-0.02), "better than every swept threshold"


def test_a_threshold_that_was_not_trained_has_no_regret_and_says_why() -> None:
    (found,) = judge(SWEEP, {a_choice("agreement"): chosen(70)})
    assert (found.accuracy, found.regret) == (None, None)
    assert found.reason == "no model was trained at the chosen threshold"


def test_without_a_sweep_there_is_no_best_threshold_and_the_reason_says_so() -> None:
    (found,) = judge({a_round("agreement"): right(72)}, {a_choice("agreement", swept=False): chosen(70)})
    assert found.accuracy.value == 0.72
    assert found.regret is None
    assert str(found.reason).startswith("no sweep")


def test_over_seeds_each_choice_stands_against_one_threshold_for_all() -> None:
    given = {
        a_round(50, seed=0): right(60),
        a_round(60, seed=0): right(70),
        a_round(50, seed=1): right(66),
        a_round(60, seed=1): right(64),
    }
    choices = {a_choice("agreement", seed=0): chosen(50), a_choice("agreement", seed=1): chosen(60)}
    first, second, mean = judge(given, choices)
    assert (first.regret.value, second.regret.value) == (pytest.approx(0.1), pytest.approx(0.02))
    assert (mean.seed, mean.threshold, mean.accuracy.value) == (None, 55, 0.62)
    assert (mean.best_threshold, mean.best_accuracy) == (60, 0.67)
    assert mean.regret.value == pytest.approx(0.05)
