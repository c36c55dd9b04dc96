"""GPU-hours before anything runs."""

import pytest

from controller.plan.compile import compile_plan
from controller.plan.estimate import estimate
from controller.plan.workload import Workload

POOL = {"name": "h100", "gpu": "H100-80GB", "pricePerGpuHour": 2.0}
EVERYWHERE = {name: {"pool": "h100"} for name in ("weakSampling", "strongSampling", "training")}


def costs(experiment, **changes):
    manifest = experiment(**{"pools": [POOL], "placement": EVERYWHERE, **changes})
    plan = compile_plan(manifest)
    return plan, estimate(plan, manifest.spec)


def test_steps_on_cpus_count_as_nothing(experiment) -> None:
    manifest = experiment()
    total = estimate(compile_plan(manifest), manifest.spec)
    assert total.gpu_hours == total.gpu_hours_without_sharing == 0


def test_sharing_saves_and_the_price_follows_the_hours(experiment) -> None:
    _, total = costs(experiment)
    assert 0 < total.gpu_hours < total.gpu_hours_without_sharing
    assert total.price == pytest.approx(2 * total.gpu_hours)


def test_a_pool_without_a_price_gives_no_total_price(experiment) -> None:
    _, total = costs(experiment, pools=[{"name": "h100", "gpu": "H100-80GB"}])
    assert total.price is None


def test_a_size_is_read_off_the_name_of_a_model(experiment) -> None:
    plan, total = costs(experiment)
    assert not [one for one in total.steps.values() if one.gpu_hours is None]
    train = next(s for s in plan.steps if s.name == "train ceiling seed 0")
    pretrain = next(s for s in plan.steps if s.name == "pretrain weak 1")
    assert total.steps[train.key].gpu_hours > total.steps[pretrain.key].gpu_hours


def test_a_model_of_unknown_size_is_said_and_not_counted(experiment) -> None:
    source = {"hub": {"name": "org/mystery", "revision": "0123456789"}}
    plan, total = costs(experiment, models__strong={"source": source})
    assert any("nothing tells the size" in warning for warning in total.warnings)
    train = next(s for s in plan.steps if s.name == "train ceiling seed 0")
    assert total.steps[train.key].gpu_hours is None


def test_a_declared_size_wins_over_the_name(experiment) -> None:
    _, by_name = costs(experiment)
    _, declared = costs(
        experiment,
        models__strong={
            "source": {"hub": {"name": "org/strong-8B", "revision": "0123456789"}},
            "parameters": 1e9,
        },
    )
    assert declared.gpu_hours < by_name.gpu_hours


def test_more_samples_cost_more_and_a_higher_threshold_trains_on_less(experiment) -> None:
    _, few = costs(experiment)
    _, many = costs(experiment, sampling={"samples": 100})
    assert many.gpu_hours > few.gpu_hours
    plan, total = costs(experiment, method__confidence__rounds=[{"thresholds": [10, 100]}])
    low, high = (
        next(total.steps[s.key].gpu_hours for s in plan.steps if s.name == f"train round 1 t={t} seed 0")
        for t in (10, 100)
    )
    assert low > high


def test_calibration_and_extra_test_questions_cost_samples_and_no_training(experiment) -> None:
    rounds = [{"thresholds": [50], "rules": ["calibrated"]}]
    splits = {"labelled": 100, "unlabelled": 200, "test": 50}
    more = {"calibration": 100, "extraTest": 400}
    _, before = costs(experiment, method__confidence__rounds=[{"thresholds": [50]}], dataset__splits=splits)
    plan, after = costs(experiment, method__confidence__rounds=rounds, dataset__splits={**splits, **more})
    hours = {step.name: after.steps[step.key].gpu_hours for step in plan.steps}
    added = [step for step in plan.steps if "calibration" in step.name or "extra test" in step.name]
    assert {step.kind for step in added if hours[step.name]} == {"sample"}
    assert hours["sample extra test, weak/seed0"] > hours["sample test, weak/seed0"]
    assert after.gpu_hours - before.gpu_hours == pytest.approx(sum(hours[step.name] for step in added))


def test_a_split_that_takes_the_rest_is_counted_without_the_others(experiment) -> None:
    splits = {"labelled": 100, "calibration": 373, "unlabelled": None, "test": 319, "extraTest": None}
    manifest = experiment(dataset__splits=splits, method__confidence__ablations=[])
    plan = compile_plan(manifest)
    work = Workload(plan, manifest.spec)
    rows = {step.name: work.rows(step) for step in plan.steps if step.kind == "prepare"}
    assert rows["prepare unlabelled questions"] == 7473 - 100 - 373
    assert rows["prepare extraTest questions"] == 1319 - 319


def test_a_chosen_threshold_counts_as_one_that_is_stated(experiment) -> None:
    _, total = costs(experiment, method__confidence__rounds=[{"rules": ["agreement"]}, {"thresholds": [60]}])
    assert any("one that a rule chooses counts as 70 %" in line for line in total.assumptions)
    _, swept = costs(experiment, method__confidence__rounds=[{"thresholds": [70]}, {"thresholds": [60]}])
    assert total.gpu_hours == pytest.approx(swept.gpu_hours)
