"""examples/paper against the paper: which trainings there are, and that nothing is done twice."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from controller.api.parse import parse_manifest
from controller.plan.compile import compile_plan
from controller.plan.estimate import estimate
from controller.plan.graph import Plan

FOLDER = Path(__file__).parents[2] / "examples" / "paper"
SETTINGS = ("llama3-gsm8k", "llama3-math", "deepseek-gsm8k", "deepseek-math")


def plan_of(setting: str) -> Plan:
    return compile_plan(parse_manifest((FOLDER / f"{setting}.yaml").read_text(), setting))


def pairs(plan: Plan, rounds: int) -> list[tuple[int, ...]]:
    return sorted(p.thresholds for p in plan.points if p.role == "round" and len(p.thresholds) == rounds)


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_pairs_of_thresholds_are_exactly_the_published_ones(setting: str, paper_tables: Path) -> None:
    with (paper_tables / "overfitting_tables_5_to_8.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["setting"] == setting.replace("-", "_")]
    plan = plan_of(setting)
    stage1 = sorted((int(row["stage1_threshold_pct"]),) for row in rows if row["row"] == "stage1")
    stage2 = sorted(
        (int(row["stage1_threshold_pct"]), int(row["stage2_threshold_pct"])) for row in rows if row["row"] == "stage2"
    )
    assert stage1
    assert stage2
    assert pairs(plan, 1) == stage1
    assert pairs(plan, 2) == stage2


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("llama3-gsm8k", {"stage1": 8, "stage2": 16, "exp": 0, "unfiltered": 4, "direct": 2}),
        ("llama3-math", {"stage1": 8, "stage2": 15, "exp": 0, "unfiltered": 0, "direct": 2}),
        ("deepseek-gsm8k", {"stage1": 8, "stage2": 16, "exp": 3, "unfiltered": 0, "direct": 0}),
        ("deepseek-math", {"stage1": 7, "stage2": 13, "exp": 3, "unfiltered": 0, "direct": 0}),
    ],
)
def test_the_trainings_are_those_that_the_paper_counts(setting: str, expected: dict[str, int]) -> None:
    plan = plan_of(setting)
    roles = Counter(plan.step(p.train).role for p in plan.points if p.train is not None)
    assert roles["ceiling"] == roles["conventional"] == 1
    assert [p.train for p in plan.points if p.role == "weak"] == [None]
    found = {"stage1": len(pairs(plan, 1)), "stage2": len(pairs(plan, 2)), "exp": len(pairs(plan, 3))}
    assert {
        **found,
        "unfiltered": roles["unfiltered"],
        "direct": roles["direct"] + roles["direct-ceiling"],
    } == expected
    # The weak baseline is the third of the paper's three, and is not trained.
    assert sum(step.kind == "train" for step in plan.steps) == 2 + sum(expected.values())


@pytest.mark.parametrize("setting", SETTINGS)
def test_one_weak_sampling_and_one_relabelling_a_threshold_serve_the_whole_setting(setting: str) -> None:
    plan = plan_of(setting)
    names = [step.name for step in plan.steps if step.kind == "sample"]
    assert names.count("weak labels seed 0") == 1
    goes_on = {p.thresholds[:-1] for p in plan.points if p.role == "round" and len(p.thresholds) > 1}
    relabelled = [f"relabel t={'-'.join(map(str, path))} seed 0" for path in sorted(goes_on)]
    assert sorted(name for name in names if name.startswith("relabel")) == sorted(relabelled)
    trained = [p.train for p in plan.points if p.train is not None]
    assert len(trained) == len(set(trained)) == sum(step.kind == "train" for step in plan.steps)


def test_the_large_test_set_is_a_second_evaluation_of_the_same_models() -> None:
    plan = plan_of("deepseek-math")
    assert all(point.evaluate_extra is not None for point in plan.points)
    for point in plan.points:
        test, extra = (
            plan.step(plan.step(key).inputs["samples"][0].key) for key in (point.evaluate, point.evaluate_extra)
        )
        assert test.inputs.get("model") == extra.inputs.get("model")
        assert test.inputs["questions"] != extra.inputs["questions"]


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_is_priced_on_its_pool_and_sharing_saves(setting: str) -> None:
    experiment = parse_manifest((FOLDER / f"{setting}.yaml").read_text(), setting)
    total = estimate(compile_plan(experiment), experiment.spec)
    assert total.price == pytest.approx(2.5 * total.gpu_hours)
    assert 0 < total.gpu_hours < 0.7 * total.gpu_hours_without_sharing
