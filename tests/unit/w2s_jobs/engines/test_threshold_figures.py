from __future__ import annotations

from w2s_jobs.contracts.analyses import ChosenResult
from w2s_jobs.contracts.results import SettingResult
from w2s_jobs.contracts.settings import Threshold
from w2s_jobs.engines.reporting.threshold_figures import chosen_settings


def a_setting(*thresholds: Threshold) -> SettingResult:
    return SettingResult.model_construct(role="round", thresholds=thresholds)


def a_choice(threshold: float, seed: int | None) -> ChosenResult:
    return ChosenResult.model_construct(rule="calibrated", after=(), seed=seed, threshold=threshold)


def stars(choices: list[ChosenResult], settings: list[SettingResult]) -> list[tuple[float, tuple[Threshold, ...]]]:
    return [(x, setting.thresholds) for x, setting in chosen_settings(choices, settings, 1)]


def test_a_swept_threshold_that_is_only_the_mean_of_the_choices_has_no_star() -> None:
    choices = [a_choice(60, 0), a_choice(100, 1), a_choice(80, None)]
    assert stars(choices, [a_setting(60), a_setting(80), a_setting(100)]) == [(60, (60,)), (100, (100,))]


def test_a_training_of_a_rule_has_one_star_at_the_mean_of_its_seeds() -> None:
    own = a_setting("calibrated")
    assert stars([a_choice(60, 0), a_choice(81, 1), a_choice(70.5, None)], [own]) == [(70.5, ("calibrated",))]
    assert stars([a_choice(60, 0)], [own]) == [(60, ("calibrated",))]
