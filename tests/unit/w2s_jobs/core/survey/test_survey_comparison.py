from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.settings import TaskSettings
from w2s_jobs.contracts.survey import SurveyCapability, SurveyParams, SurveyPoint, SurveyRole
from w2s_jobs.contracts.survey_results import SurveySetting
from w2s_jobs.core.survey.comparison import SurveyComparison, survey_name
from w2s_jobs.core.survey.evidence import ScoredAnswers, SurveyEvidence

MODELS = ("0.5b", "1.8b", "4b")
SIZES = {"creak": 40, "scan": 90}
Right = Mapping[str, np.ndarray]
Made = tuple[SurveyRole, str | None, str, int]


def answers(share: float, seed: int = 0) -> Right:
    """Answers of a model that is right on the easiest questions of each capability, with some luck."""
    noise = np.random.default_rng(seed)
    return {c: np.linspace(0, 1, n) + noise.normal(0, 0.1, n) < share for c, n in SIZES.items()}


def exactly(**right: int) -> Right:
    """Answers with so many right ones by capability."""
    return {c: np.arange(SIZES[c]) < n for c, n in right.items()}


def key_of(*parts: object) -> str:
    return "".join(map(str, parts)).encode().hex().ljust(64, "0")[-64:]


def material(
    given: Mapping[Made, Right], capabilities: tuple[str, ...] = tuple(SIZES)
) -> tuple[SurveyParams, SurveyEvidence]:
    points, scored = [], {}
    for made, right in given.items():
        role, weak, model, seed = made
        keys = {c: key_of(n, c, role, weak, model, seed) for n, c in enumerate(right)}
        for c, key in keys.items():
            rows = [f"{c}-{i:04}" for i in range(len(right[c]))]
            scored[key] = ScoredAnswers(rows, [None] * len(rows), right[c])
        points.append(SurveyPoint(id=f"{made}", role=role, model=model, weak=weak, seed=seed, evaluations=keys))
    params = SurveyParams(
        title="t",
        models=MODELS,
        capabilities=tuple(SurveyCapability(name=c, task=TaskSettings(family=c), gold="0" * 64) for c in capabilities),
        points=tuple(points),
        resamples=200,
    )
    return params, SurveyEvidence(scored=scored)


def found(given: Mapping[Made, Right], capabilities: tuple[str, ...] = tuple(SIZES)) -> dict[str, SurveySetting]:
    return {s.name: s for s in SurveyComparison(*material(given, capabilities)).settings({})}


def pair(seed: int = 0, luck: int = 0) -> dict[Made, Right]:
    return {
        ("weak", None, "0.5b", seed): answers(0.3, luck),
        ("ceiling", None, "1.8b", seed): answers(0.8, luck + 1),
        ("wts", "0.5b", "1.8b", seed): answers(0.5, luck + 2),
        ("selected", "0.5b", "1.8b", seed): answers(0.6, luck + 3),
    }


def test_names_say_role_variant_teacher_and_model() -> None:
    assert survey_name("selected", "reward", "0.5b", "1.8b") == "selected-reward/0.5b-1.8b"
    assert survey_name("noise", "40", "0.5b", "1.8b") == "noise-40/0.5b-1.8b"
    assert survey_name("ceiling", "", None, "1.8b") == "ceiling/1.8b"


@given(st.lists(st.integers(0, 40), min_size=3, max_size=3), st.lists(st.integers(0, 90), min_size=3, max_size=3))
@settings(max_examples=20)
def test_an_average_weighs_capabilities_alike_and_its_pgr_is_computed_from_averages(
    creak: list[int], scan: list[int]
) -> None:
    roles: list[Made] = [("weak", None, "0.5b", 0), ("ceiling", None, "1.8b", 0), ("wts", "0.5b", "1.8b", 0)]
    made = {role: exactly(creak=c, scan=s) for role, c, s in zip(roles, creak, scan, strict=True)}
    by_name = found(made)
    weak, ceiling, wts = ((c / 40 + s / 90) / 2 for c, s in zip(creak, scan, strict=True))
    setting = by_name["wts/0.5b-1.8b"]
    assert setting.average.accuracy.value == pytest.approx(wts, abs=1e-6)
    assert setting.average.accuracy.correct == creak[2] + scan[2]
    apart = [score.accuracy.value for score in setting.capabilities.values()]
    assert min(apart) <= setting.average.accuracy.value <= max(apart)
    if abs(ceiling - weak) < 1e-9:
        assert setting.average.pgr.value is None
        assert setting.average.pgr.reason
    else:
        assert setting.average.pgr.value == pytest.approx((wts - weak) / (ceiling - weak), rel=1e-4, abs=1e-4)
    interval = setting.average.accuracy.interval
    assert interval is not None
    assert 0 <= interval.low <= interval.high <= 1


def test_pgr_says_what_is_missing() -> None:
    given = pair()
    del given["ceiling", None, "1.8b", 0]
    setting = found(given)["wts/0.5b-1.8b"]
    assert setting.average.pgr.value is None
    assert setting.average.pgr.reason == "the experiment has no baseline ceiling/1.8b"
    assert {s.pgr.value for s in setting.capabilities.values()} == {None}


def test_pgr_of_a_ceiling_is_one_where_there_is_a_weak_model_before_it() -> None:
    by_name = found(pair())
    assert by_name["ceiling/1.8b"].average.pgr.value == 1
    assert by_name["weak/0.5b"].average.pgr.value is None
    alone = found({("ceiling", None, "0.5b", 0): answers(0.5)})["ceiling/0.5b"]
    assert alone.average.pgr.reason == "the experiment has no weak model before 0.5b in the chain"


def test_in_context_learning_is_measured_from_the_nearest_weak_model_before_it() -> None:
    given = {
        ("weak", None, "0.5b", 0): exactly(creak=10, scan=20),
        ("weak", None, "1.8b", 0): exactly(creak=20, scan=40),
        ("ceiling", None, "4b", 0): exactly(creak=40, scan=80),
        ("in-context", None, "4b", 0): exactly(creak=30, scan=60),
    }
    assert found(given)["in-context/4b"].average.pgr.value == pytest.approx(0.5)


def test_a_difference_is_taken_to_wts_of_the_same_models_only() -> None:
    by_name = found({**pair(), ("selected", "1.8b", "4b", 0): answers(0.9)})
    assert by_name["wts/0.5b-1.8b"].average.difference is None
    assert by_name["ceiling/1.8b"].average.difference is None
    assert by_name["selected/1.8b-4b"].average.difference is None
    difference = by_name["selected/0.5b-1.8b"].average.difference
    assert difference is not None
    assert difference.to == "wts/0.5b-1.8b"
    accuracies = [by_name[f"{role}/0.5b-1.8b"].average.accuracy.value for role in ("selected", "wts")]
    assert difference.value == pytest.approx(accuracies[0] - accuracies[1], abs=2e-6)


def test_the_same_answers_differ_by_nothing_and_that_is_no_gain() -> None:
    same = answers(0.5)
    given: dict[Made, Right] = {("wts", "0.5b", "1.8b", 0): same, ("selected", "0.5b", "1.8b", 0): same}
    difference = found(given)["selected/0.5b-1.8b"].average.difference
    assert difference is not None
    assert (difference.value, difference.better, difference.worse) == (0, False, False)


def test_seeds_are_averaged_and_their_spread_is_given() -> None:
    one, two = pair(0), pair(1, luck=10)
    both = found({**one, **two})["wts/0.5b-1.8b"]
    single = [found(each)["wts/0.5b-1.8b"].average.accuracy.value for each in (one, two)]
    assert both.seeds == (0, 1)
    assert both.average.accuracy.value == pytest.approx(np.mean(single), abs=1e-6)
    assert both.average.spread is not None
    assert (both.average.spread.min, both.average.spread.max) == (min(single), max(single))
    assert found(one)["wts/0.5b-1.8b"].average.spread is None


def test_a_setting_under_some_seeds_is_compared_on_those() -> None:
    given = {**pair(0), **pair(1, luck=10)}
    del given["selected", "0.5b", "1.8b", 1]
    some, one = found(given)["selected/0.5b-1.8b"], found(pair(0))["selected/0.5b-1.8b"]
    assert some.average.difference is not None
    assert one.average.difference is not None
    assert some.average.difference.value == one.average.difference.value
    assert some.average.pgr.value == one.average.pgr.value


def test_without_a_common_seed_there_is_no_difference_and_no_pgr() -> None:
    given = pair(0)
    given["selected", "0.5b", "1.8b", 1] = given.pop(("selected", "0.5b", "1.8b", 0))
    setting = found(given)["selected/0.5b-1.8b"]
    assert setting.average.difference is None
    assert "shares no seed" in str(setting.average.pgr.reason)


def test_averages_are_compared_on_the_capabilities_that_both_have() -> None:
    given = pair()
    given["selected", "0.5b", "1.8b", 0] = {"scan": given["selected", "0.5b", "1.8b", 0]["scan"]}
    setting = found(given)["selected/0.5b-1.8b"]
    assert setting.capabilities.keys() == {"scan"}
    assert setting.average.difference == setting.capabilities["scan"].difference
    assert setting.average.pgr == setting.capabilities["scan"].pgr


def test_intervals_are_the_same_again_and_whatever_else_is_surveyed() -> None:
    one, other = found(pair()), found(dict(reversed(pair().items())), tuple(reversed(SIZES)))
    assert one.keys() == other.keys()
    for name, setting in one.items():
        assert setting.capabilities == other[name].capabilities
        assert setting.average.accuracy.value == pytest.approx(other[name].average.accuracy.value)
    only = found({made: {"scan": right["scan"]} for made, right in pair().items()}, ("scan",))
    assert only["wts/0.5b-1.8b"].capabilities["scan"] == one["wts/0.5b-1.8b"].capabilities["scan"]


@given(st.permutations(range(40)))
@settings(max_examples=10)
def test_pairing_only_depends_on_which_questions_are_right_together(order: list[int]) -> None:
    """Where one model is right exactly where another is, no order of questions makes a difference of them."""
    right = answers(0.5)["creak"][order]
    given: dict[Made, Right] = {
        ("wts", "0.5b", "1.8b", 0): {"creak": right},
        ("selected", "0.5b", "1.8b", 0): {"creak": right},
    }
    difference = found(given, ("creak",))["selected/0.5b-1.8b"].average.difference
    assert difference is not None
    assert difference.interval is not None
    assert (difference.interval.low, difference.interval.high) == (0, 0)


def test_capabilities_are_resampled_apart() -> None:
    """Two capabilities with the same answers vary apart, so their average varies less than either."""
    right = np.arange(90) % 2 == 0
    setting = found({("weak", None, "0.5b", 0): {"creak": right, "scan": right}})["weak/0.5b"]
    widths = [
        score.accuracy.interval.high - score.accuracy.interval.low  # type: ignore[union-attr]
        for score in (setting.average, *setting.capabilities.values())
    ]
    assert widths[0] < 0.85 * min(widths[1:])


def test_an_accuracy_that_no_resample_moves_still_has_an_interval() -> None:
    setting = found({("weak", None, "0.5b", 0): exactly(creak=40, scan=0)})["weak/0.5b"]
    interval = setting.average.accuracy.interval
    assert interval is not None
    assert interval.low < 0.5 < interval.high


def test_settings_come_weak_first_and_along_the_chain() -> None:
    given: dict[Made, Right] = {
        ("selected", "0.5b", "1.8b", 0): answers(0.6),
        ("wts", "1.8b", "4b", 0): answers(0.6),
        ("wts", "0.5b", "1.8b", 0): answers(0.5),
        ("weak", None, "1.8b", 0): answers(0.4),
        ("weak", None, "0.5b", 0): answers(0.3),
    }
    assert list(found(given)) == ["weak/0.5b", "weak/1.8b", "wts/0.5b-1.8b", "wts/1.8b-4b", "selected/0.5b-1.8b"]


def test_two_points_of_one_setting_and_seed_are_refused() -> None:
    params, evidence = material(pair())
    again = params.points[0].model_copy(update={"id": "again"})
    twice = params.model_copy(update={"points": (*params.points, again)})
    with pytest.raises(InputError, match=r"again are both weak/0.5b under seed 0"):
        SurveyComparison(twice, evidence)
