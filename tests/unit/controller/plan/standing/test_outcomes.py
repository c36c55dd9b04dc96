"""What a status shows of a report, read off the shapes that reports write."""

from pathlib import Path

from controller.api.parse import parse_manifest
from controller.plan.compile import compile_plan
from controller.plan.standing.outcomes import StepOutcome, build_results, read_report
from tests.support.survey_design import MadeSurvey
from tests.support.survey_results_made import make_results
from w2s_jobs.contracts.estimates import Accuracy, PgrResult
from w2s_jobs.contracts.results import Choice, Gap, PointResult, Results, SettingResult, Verdict
from w2s_jobs.contracts.survey import SurveyPoint

PLANS = Path(__file__).parents[4] / "golden" / "plans"
SWEEP = compile_plan(parse_manifest((PLANS / "two-rounds.yaml").read_text(), "two-rounds"))
SURVEY = compile_plan(parse_manifest((PLANS / "reward.yaml").read_text(), "reward"))
URI = "s3://bucket/report/1/"


def sweep_results(pgr: float | None = 0.694, certain: bool = True) -> dict:
    accuracy = Accuracy(value=0.5, interval=None, n=100, correct=50)
    points = [
        PointResult(
            id=point.id,
            role=point.role,
            thresholds=point.thresholds,
            seed=point.seed,
            accuracy=accuracy,
            pgr=PgrResult(value=pgr if point.role == "round" else None),
            difference=None,
            training=None,
        )
        for point in SWEEP.points
    ]
    best = SettingResult(
        name="round1/t50",
        role="round",
        thresholds=(50,),
        seeds=(0,),
        accuracy=accuracy,
        spread=None,
        pgr=PgrResult(value=pgr),
        difference=None,
        gain=None,
        training=None,
    )
    results = Results(
        title="t",
        description="",
        family="gsm8k",
        test_questions=100,
        unlabelled_questions=None,
        confidence_level=0.95,
        resamples=2000,
        seed=0,
        verdict=Verdict(headline="recovers most of the gap", sentences=()),
        gap=Gap(weak=0.3, ceiling=0.6, value=0.3, interval=None, certain=certain, reason=None),
        best=(Choice(round=None, name="round1/t50", among=4, difference=None),),
        settings=(best,),
        points=tuple(points),
    )
    return results.model_dump(mode="json", by_alias=True)


def test_of_a_sweep_the_best_pgr_is_that_of_the_setting_that_the_report_calls_best() -> None:
    report = read_report(SWEEP, sweep_results(), URI)
    assert (report.best_pgr, report.headline) == ("0.69", "recovers most of the gap")
    results = build_results(SWEEP, {}, report)
    assert results.report == URI
    assert {point.accuracy for point in results.points} == {0.5}
    assert {point.pgr for point in results.points} == {None, 0.694}


def test_a_gap_that_may_be_none_and_a_pgr_that_is_none_are_said_in_words() -> None:
    assert read_report(SWEEP, sweep_results(certain=False), URI).best_pgr == "no gap"
    assert read_report(SWEEP, sweep_results(pgr=None), URI).best_pgr == "undefined"


def test_of_a_survey_the_best_pgr_is_the_highest_of_a_model_that_weak_labels_taught() -> None:
    made = make_results(MadeSurvey())
    report = read_report(SURVEY, made.model_dump(mode="json", by_alias=True), URI)
    taught = [one.average.pgr.value for one in made.settings if one.role in ("wts", "wts-2", "mixed", "selected")]
    assert report.best_pgr is not None
    assert float(report.best_pgr) >= max(round(pgr, 2) for pgr in taught if pgr is not None)
    assert report.headline == made.verdict.headline


def test_a_report_of_another_version_shows_what_it_has() -> None:
    report = read_report(SWEEP, {"verdict": {"headline": "h", "new": 1}, "later": {}}, URI)
    assert (report.headline, report.best_pgr) == ("h", None)


def test_a_point_of_a_survey_is_measured_when_all_its_capabilities_are() -> None:
    point = next(one for one in SURVEY.points if isinstance(one, SurveyPoint) and len(one.evaluations) > 1)
    keys = list(point.evaluations.values())
    outcomes = {key: StepOutcome(metrics={"accuracy": i / 10}) for i, key in enumerate(keys)}
    measured = {one.id: one.accuracy for one in build_results(SURVEY, outcomes, None).points}
    assert measured[point.id] == round(sum(range(len(keys))) / 10 / len(keys), 6)
    outcomes.pop(keys[0])
    assert {one.id: one.accuracy for one in build_results(SURVEY, outcomes, None).points}[point.id] is None
