from __future__ import annotations

import numpy as np
import pytest

from w2s_jobs.contracts.report import ReportPoint
from w2s_jobs.contracts.settings import Threshold
from w2s_jobs.core.analysis.points import PointComparison, setting_name
from w2s_jobs.core.analysis.resampling import (
    Bootstrap,
    Estimate,
    compare,
    estimate_all,
    mean_of,
    recovered,
    seed_weights,
    simultaneous,
)

QUESTIONS = 400
BOOTSTRAP = Bootstrap(resamples=500, confidence_level=0.95, seed=3)


def answers(share: float, seed: int = 0) -> np.ndarray:
    """Answers of a model that is right on the easiest questions, with some luck."""
    noise = np.random.default_rng(seed).normal(0, 0.05, QUESTIONS)
    return np.linspace(0, 1, QUESTIONS) + noise < share


def point(role: str, thresholds: tuple[Threshold, ...] = (), seed: int = 0, evaluate: str | None = None) -> ReportPoint:
    name = f"{role}{thresholds}{seed}"
    key = (evaluate or name).encode().hex().ljust(64, "0")[:64]
    return ReportPoint(id=name, role=role, thresholds=thresholds, seed=seed, evaluate=key)  # type: ignore[arg-type]


def comparison(given: dict[ReportPoint, np.ndarray]) -> PointComparison:
    estimates = estimate_all({p.evaluate: right for p, right in given.items()}, BOOTSTRAP)
    return PointComparison(tuple(given), estimates, QUESTIONS, BOOTSTRAP)


def settings(given: dict[ReportPoint, np.ndarray]) -> dict[str, object]:
    return {s.name: s for s in comparison(given).settings({})}


def test_pgr_is_the_recovered_share_of_the_gap() -> None:
    weak, ceiling, transfer = np.zeros(4, bool), np.ones(4, bool), np.array([True, True, True, False])
    found = {s.name: s for s in comparison_of(weak, ceiling, transfer).settings({})}
    assert found["round1/t70"].pgr.value == 0.75
    assert found["weak"].pgr.value == 0
    assert found["ceiling"].pgr.value == 1


def comparison_of(weak: np.ndarray, ceiling: np.ndarray, transfer: np.ndarray) -> PointComparison:
    return comparison({point("weak"): weak, point("ceiling"): ceiling, point("round", (70,)): transfer})


def test_pgr_without_a_gap_is_null_with_its_reason_and_never_zero_or_infinite() -> None:
    same = answers(0.5)
    found = comparison_of(same, same, answers(0.8))
    setting = next(s for s in found.settings({}) if s.role == "round")
    assert setting.pgr.value is None
    assert setting.pgr.interval is None
    assert "no gap to recover" in str(setting.pgr.reason)
    assert "no gap to recover" in str(found.gap().reason)


def test_pgr_without_a_ceiling_names_what_is_missing() -> None:
    found = comparison({point("weak"): answers(0.4), point("round", (70,)): answers(0.6)})
    assert {s.pgr.reason for s in found.settings({})} == {"the experiment has no baseline ceiling"}
    assert found.gap().reason == "the experiment has no baseline ceiling"


def test_resamples_without_a_gap_are_counted_and_left_out() -> None:
    weak = answers(0.5)
    ceiling = weak.copy()
    ceiling[np.flatnonzero(~weak)[:2]] = True
    setting = next(s for s in comparison_of(weak, ceiling, answers(0.52)).settings({}) if s.role == "round")
    assert 0 < setting.pgr.undefined_resamples < BOOTSTRAP.resamples
    assert setting.pgr.value is not None


def test_a_gap_that_may_be_zero_is_said_to_be_uncertain() -> None:
    gap = comparison_of(answers(0.50), answers(0.51, seed=9), answers(0.5)).gap()
    assert not gap.certain
    assert "not distinguishable from zero" in str(gap.reason)


def test_a_ceiling_below_the_weak_model_is_said_to_be_so() -> None:
    gap = comparison_of(answers(0.8), answers(0.4), answers(0.5)).gap()
    assert not gap.certain
    assert "less accurate than the weak model" in str(gap.reason)


def test_better_needs_an_interval_above_zero() -> None:
    given = {
        point("conventional"): answers(0.5),
        point("round", (50,)): answers(0.505, seed=1),
        point("round", (90,)): answers(0.8),
    }
    found = {s.name: s.difference for s in comparison(given).settings({})}
    assert not found["round1/t50"].better
    assert not found["round1/t50"].worse
    assert found["round1/t90"].better
    assert found["conventional"] is None


def test_a_pair_that_agrees_on_every_question_differs_by_exactly_zero() -> None:
    same = answers(0.6)
    setting = settings({point("conventional"): same, point("round", (50,)): same})["round1/t50"]
    assert (setting.difference.value, setting.difference.interval.low, setting.difference.interval.high) == (0, 0, 0)
    assert not setting.difference.better


def test_a_later_round_is_compared_with_the_one_that_it_went_on_from() -> None:
    given = {
        point("round", (50,)): answers(0.5),
        point("round", (70,)): answers(0.7),
        point("round", (50, 90)): answers(0.8),
    }
    gain = settings(given)["round2/t50-90"].gain
    assert gain.to == "round1/t50"
    assert gain.value == pytest.approx(0.3, abs=0.03)


def test_seeds_are_taken_together_and_their_spread_is_kept() -> None:
    given = {point("round", (50,), seed): answers(share, seed) for seed, share in enumerate((0.4, 0.5, 0.6))}
    setting = settings(given)["round1/t50"]
    assert setting.seeds == (0, 1, 2)
    assert setting.accuracy.value == pytest.approx(0.5, abs=0.02)
    assert setting.spread.min < setting.accuracy.value < setting.spread.max


def test_seeds_that_share_one_evaluation_have_no_spread() -> None:
    shared = answers(0.5)
    given = {point("weak", seed=seed, evaluate="w"): shared for seed in (0, 1)}
    assert settings(given)["weak"].spread is None


def test_the_interval_of_the_best_allows_for_the_choice() -> None:
    random = np.random.default_rng(5)
    conventional = Estimate(0.5, 0.5 + random.normal(0, 0.01, 2000))
    candidates = [Estimate(0.51, 0.51 + random.normal(0, 0.01, 2000)) for _ in range(20)]
    alone = compare(candidates[0], conventional, "conventional", 0.95).interval
    chosen = simultaneous(candidates, conventional, "conventional", 0.95)[0].interval
    assert alone is not None
    assert chosen is not None
    assert chosen.high - chosen.low > 1.2 * (alone.high - alone.low)


def test_the_best_of_equals_is_the_first() -> None:
    same = answers(0.7)
    best = comparison({point("round", (50,)): same, point("round", (30,)): same}).best()
    assert {choice.name for choice in best} == {"round1/t30"}


def test_a_mean_over_seeds_keeps_the_pairing_of_questions() -> None:
    one, two = Estimate(0.2, np.array([0.1, 0.3])), Estimate(0.4, np.array([0.5, 0.3]))
    assert mean_of([one, two], [np.ones(2), np.ones(2)]).resampled.tolist() == pytest.approx([0.3, 0.3])


def test_a_resample_counts_a_seed_as_often_as_it_was_drawn() -> None:
    one, two = Estimate(0.2, np.array([0.2, 0.2, 0.2])), Estimate(0.4, np.array([0.4, 0.4, 0.4]))
    weights = [np.array([2.0, 1.0, 0.0]), np.array([0.0, 1.0, 2.0])]
    found = mean_of([one, two], weights)
    assert found.value == pytest.approx(0.3)
    assert found.resampled.tolist() == pytest.approx([0.2, 0.3, 0.4])


def test_a_resample_without_any_of_the_seeds_weighs_them_alike() -> None:
    found = mean_of([Estimate(0.2, np.array([0.2])), Estimate(0.4, np.array([0.4]))], [np.zeros(1), np.zeros(1)])
    assert found.resampled.tolist() == pytest.approx([0.3])


def test_equal_means_of_different_accuracies_leave_no_gap_to_recover() -> None:
    def mean(*values: float) -> Estimate:
        return mean_of([Estimate(value, np.full(3, value)) for value in values], [np.ones(3) for _ in values])

    assert sum((0.1, 0.2)) != sum((0.3, 0.0)), "binary fractions tell these sums apart, people do not"
    found = recovered(mean(0.4, 0.5), weak=mean(0.1, 0.2), ceiling=mean(0.3, 0.0), confidence_level=0.95)
    assert found.value is None
    assert found.reason == "ceiling and weak have the same accuracy: there is no gap to recover"


def test_seeds_that_differ_widen_the_interval_even_where_no_question_does() -> None:
    given = {point("round", (50,), 0): np.zeros(QUESTIONS, bool), point("round", (50,), 1): np.ones(QUESTIONS, bool)}
    interval = settings(given)["round1/t50"].accuracy.interval
    assert (interval.low, interval.high) == (0, 1)


def test_seeds_are_drawn_alike_for_every_setting_so_what_they_share_cancels() -> None:
    low, high = np.zeros(QUESTIONS, bool), np.ones(QUESTIONS, bool)
    given = {
        point(role, t, seed): right
        for role, t in (("conventional", ()), ("round", (50,)))
        for seed, right in ((0, low), (1, high))
    }
    difference = settings(given)["round1/t50"].difference
    assert (difference.interval.low, difference.interval.high) == (0, 0)


def test_one_seed_is_drawn_once_in_every_resample() -> None:
    assert seed_weights([7], BOOTSTRAP)[7].tolist() == [1.0] * BOOTSTRAP.resamples


def test_seed_weights_sum_to_the_number_of_seeds(seed: int) -> None:
    weights = seed_weights([3, 1, 2], Bootstrap(200, 0.95, seed))
    assert list(weights) == [1, 2, 3]
    assert set(sum(weights.values()).tolist()) == {3.0}


def test_direct_answers_recover_the_gap_between_their_own_baselines() -> None:
    """Table 3 of the paper: weak 14.6, ceiling 30.93, weak-to-strong 13.64 give a PGR of -5.87 %."""
    shares = {"direct-weak": 0.1460, "direct-ceiling": 0.3093, "direct": 0.1364, "weak": 0.7480, "ceiling": 0.8036}
    given = {point(role): np.arange(10_000) < 10_000 * share for role, share in shares.items()}
    estimates = estimate_all({p.evaluate: right for p, right in given.items()}, BOOTSTRAP)
    found = {s.name: s for s in PointComparison(tuple(given), estimates, 10_000, BOOTSTRAP).settings({})}
    assert found["direct"].pgr.value == pytest.approx(-0.0588, abs=1e-4)
    assert found["direct-ceiling"].pgr.value == 1


def test_direct_answers_without_their_own_baselines_have_no_pgr() -> None:
    given = {point("weak"): answers(0.4), point("ceiling"): answers(0.8), point("direct"): answers(0.3)}
    pgr = settings(given)["direct"].pgr
    assert pgr.value is None
    assert pgr.reason == "the experiment has no baseline direct-weak and direct-ceiling"


def test_a_rule_stands_behind_the_percents_of_its_round() -> None:
    given = {point("round", (t,)): answers(0.5) for t in ("calibrated", 90, "agreement", 50)}
    assert list(settings(given)) == ["round1/t50", "round1/t90", "round1/tagreement", "round1/tcalibrated"]


def test_settings_are_named_by_what_seeds_have_in_common() -> None:
    assert setting_name("round", (60, 70)) == "round2/t60-70"
    assert setting_name("unfiltered", (60,)) == "unfiltered/t60"
    assert setting_name("weak", ()) == "weak"
