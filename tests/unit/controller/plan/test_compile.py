"""Experiment -> Plan: what is shared, what a change touches, and that nothing but the manifest matters."""

import json
import os
import random
from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.api.parse import parse_manifest
from controller.plan.compile import compile_plan
from tests.support.plan_steps import all_below, changed, keys, named

GOLDEN = Path(__file__).parents[3] / "golden" / "plans"


@pytest.mark.parametrize("manifest", sorted(GOLDEN.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_manifest_compiles_to_exactly_this_plan(manifest: Path) -> None:
    plan = compile_plan(parse_manifest(manifest.read_text(), manifest.name))
    rendered = json.dumps(plan.to_json(), indent=1, ensure_ascii=False) + "\n"
    expected = manifest.with_suffix(".json")
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(rendered)
    assert rendered == expected.read_text()


def test_every_step_comes_after_what_it_reads(experiment) -> None:
    plan = compile_plan(experiment())
    seen: set[str] = set()
    for step in plan.steps:
        assert set(plan.dependencies(step)) <= seen
        seen.add(step.key)
    assert plan.steps[-1].key == plan.report


def test_one_weak_sampling_serves_all_thresholds_and_rounds(experiment) -> None:
    plan = compile_plan(experiment())
    assert named(plan, "weak labels seed") == ["weak labels seed 0", "grade weak labels seed 0"]
    (sampling,) = [step for step in plan.steps if step.name == "weak labels seed 0"]
    assert sampling.uses == 6  # two points of round 1, two unfiltered, two of round 2


def test_one_model_of_a_round_serves_every_branch_that_goes_on_from_it(experiment) -> None:
    wide = [{"thresholds": [50]}, {"thresholds": [30, 40, 50, 60]}]
    plan = compile_plan(experiment(method__confidence__rounds=wide))
    assert named(plan, "train round 1") == ["train round 1 t=50 seed 0"]
    assert named(plan, "relabel t=50") == ["relabel t=50 seed 0"]
    assert len(named(plan, "train round 2")) == 4


def test_every_round_trains_the_initial_strong_model_on_all_that_was_kept(experiment) -> None:
    rounds = [{"thresholds": [50]}, {"thresholds": [60]}, {"thresholds": [70]}]
    plan = compile_plan(experiment(method__confidence__rounds=rounds))
    (last,) = [step for step in plan.steps if step.name.startswith("train round 3")]
    assert "model" not in last.inputs
    assert last.params.model is not None
    assert [plan.step(item.key).name for item in last.inputs["examples"]] == [
        "select round 1 t=50 seed 0",
        "select round 2 t=50-60 seed 0",
        "select round 3 t=50-60-70 seed 0",
    ]


def test_a_round_goes_on_only_from_the_thresholds_it_names(experiment) -> None:
    rounds = [{"thresholds": [30, 50, 70]}, {"thresholds": [60], "after": [50]}]
    plan = compile_plan(experiment(method__confidence__rounds=rounds, method__confidence__ablations=[]))
    assert [p.id for p in plan.points if p.id.startswith("round2")] == ["round2/t50-60/seed0"]
    assert named(plan, "relabel") == ["relabel t=50 seed 0", "grade relabelled t=50 seed 0"]


def test_a_branch_has_thresholds_of_its_own(experiment) -> None:
    branches = [{"path": [50], "thresholds": [60]}, {"path": [70], "thresholds": [80, 90]}]
    last = [{"path": [70, 80], "thresholds": [100]}]
    rounds = [{"thresholds": [30, 50, 70]}, {"branches": branches}, {"branches": last}]
    plan = compile_plan(experiment(method__confidence__rounds=rounds, method__confidence__ablations=[]))
    later = [p.thresholds for p in plan.points if len(p.thresholds) > 1]
    assert later == [(50, 60), (70, 80), (70, 80, 100), (70, 90)]


def test_without_a_filter_the_second_round_is_done_where_it_is_done_with_one(experiment) -> None:
    rounds = [{"thresholds": [30, 50, 70]}, {"thresholds": [60], "after": [50, 70]}]
    plan = compile_plan(experiment(method__confidence__rounds=rounds))
    assert [p.thresholds for p in plan.points if p.role == "unfiltered"] == [(50,), (70,)]
    alone = compile_plan(experiment(method__confidence__rounds=rounds[:1]))
    assert [p.thresholds for p in alone.points if p.role == "unfiltered"] == [(30,), (50,), (70,)]


def test_direct_answers_are_asked_of_the_weak_model_learnt_and_compared_with_their_own_baselines(experiment) -> None:
    plan = compile_plan(experiment(models__weak__directTemplate={"text": "Only the number: {question}"}))
    points = {p.role: p for p in plan.points if p.role.startswith("direct")}
    assert points.keys() == {"direct-weak", "direct-ceiling", "direct"}
    assert points["direct-weak"].train is None
    (label,) = [step for step in plan.steps if step.name == "one direct weak label"]
    (weak_test,) = [step for step in plan.steps if step.name == "sample test, direct-weak/seed0"]
    assert label.params.template == weak_test.params.template
    assert label.params.template.text == "Only the number: {question}"
    trained = {role: plan.step(points[role].train) for role in ("direct", "direct-ceiling")}
    learnt = {role: [plan.step(item.key) for item in step.inputs["examples"]] for role, step in trained.items()}
    assert {one.params.completion for steps in learnt.values() for one in steps} == {"answer"}
    assert label.key in all_below(plan, trained["direct"].key)
    assert label.key not in all_below(plan, trained["direct-ceiling"].key)


def test_a_direct_label_without_an_answer_is_left_out_because_a_bare_answer_is_all_that_is_learnt(experiment) -> None:
    plan = compile_plan(experiment())
    requires = {step.name: step.params.require_valid for step in plan.steps if step.name.startswith("select all")}
    assert requires["select all direct weak labels"]
    assert not requires["select all greedy weak labels"]


def test_extra_test_questions_are_a_second_evaluation_and_no_second_training(experiment) -> None:
    splits = {"unlabelled": 200, "labelled": 100, "test": 50, "extraTest": None}
    plain = compile_plan(experiment(dataset__splits={**splits, "extraTest": 0}))
    plan = compile_plan(experiment(dataset__splits=splits))
    assert all(p.evaluate_extra is None for p in plain.points)
    assert all(p.evaluate_extra is not None for p in plan.points)
    count = Counter(step.kind for step in plan.steps)
    assert count["train"] == Counter(step.kind for step in plain.steps)["train"]
    report = plan.step(plan.report)
    assert {item.key for item in report.inputs["scored"]} == {
        key for p in plan.points for key in (p.evaluate, p.evaluate_extra)
    }
    assert next(step.uses for step in plan.steps if step.name == "prepare extraTest gold") == len(plan.points)


def test_later_rounds_ask_for_a_chain_of_thought_and_the_first_does_not(experiment) -> None:
    plan = compile_plan(experiment())
    asked = {s.name: s.params.require_chain_of_thought for s in plan.steps if s.name.startswith("select round")}
    assert {name: wanted for name, wanted in asked.items() if wanted} == {
        "select round 2 t=50-60 seed 0": True,
        "select round 2 t=70-60 seed 0": True,
    }


def test_changing_one_threshold_touches_only_what_depends_on_it(experiment) -> None:
    before = compile_plan(experiment(method__confidence__ablations=[]))
    rounds = [{"thresholds": [50, 80]}, {"thresholds": [60]}]
    after = compile_plan(experiment(method__confidence__ablations=[], method__confidence__rounds=rounds))
    touched = changed(before, after) - {"report"}
    assert touched
    assert all("80" in name for name in touched)


def test_baselines_are_shared_between_experiments_with_other_thresholds(experiment) -> None:
    one = compile_plan(experiment())
    other = compile_plan(experiment(method__confidence__rounds=[{"thresholds": [90]}]))
    shared = {step.name for step in one.steps if step.key in keys(other)}
    assert {"train ceiling seed 0", "train conventional seed 0", "weak labels seed 0", "pretrain weak 1"} <= shared


def test_seeds_change_sampling_and_training_and_leave_data_and_given_models_alone(experiment) -> None:
    plan = compile_plan(experiment(seeds=[0, 1]))
    counts = Counter(step.kind for step in plan.steps)
    assert counts["prepare"] == 6
    assert len(named(plan, "pretrain weak")) == 1
    assert len(named(plan, "weak labels seed 0")) == len(named(plan, "weak labels seed 1")) == 2
    assert len([p for p in plan.points if p.role == "weak"]) == 2
    assert len({p.evaluate for p in plan.points if p.role == "weak"}) == 1


def test_where_steps_run_changes_no_key(experiment) -> None:
    plain = compile_plan(experiment())
    pools = [{"name": "big", "gpu": "H100-80GB", "gpusPerNode": 8}]
    training = {"pool": "big", "parallelism": {"ranks": 8, "zeroStage": 3}}
    placed = compile_plan(
        experiment(pools=pools, placement={"training": training}, storage={"uri": "s3://bucket/prefix"})
    )
    assert keys(plain) == keys(placed)
    assert {s.resources.gpus for s in placed.steps if s.kind == "train"} == {8}


def test_defaults_written_out_change_no_key(experiment) -> None:
    assert keys(compile_plan(experiment())) == keys(compile_plan(experiment(sampling={"samples": 10, "topP": 0.9})))


def test_an_engine_is_chosen_for_each_model_and_part_of_the_key(experiment) -> None:
    scratch = {"hiddenSize": 64, "layers": 2, "heads": 4, "intermediateSize": 128, "maxPositions": 1024}
    plan = compile_plan(
        experiment(
            models__weak={
                "source": {"scratch": scratch},
                "pretrain": [{"split": "labelled"}],
                "template": {"name": "direct"},
                "directTemplate": {"text": "{question}="},
            }
        )
    )
    engines = {(s.role, s.params.engine) for s in plan.steps if s.kind == "sample"}
    assert engines == {("weak", "transformers"), ("strong", "vllm")}


def test_uses_count_what_each_point_would_compute_alone(experiment) -> None:
    plan = compile_plan(experiment())
    by_name = {step.name: step.uses for step in plan.steps}
    assert by_name["prepare test gold"] == len(plan.points)
    assert by_name["train round 1 t=50 seed 0"] == 3  # itself, its unfiltered ablation, its round 2
    assert by_name["report"] == 1


def test_the_report_names_every_point_and_every_step(experiment) -> None:
    plan = compile_plan(experiment())
    params = plan.step(plan.report).params
    assert params.points == plan.points
    assert {use.key for use in params.uses} == keys(plan) - {plan.report}
    assert len({point.id for point in plan.points}) == len(plan.points)


def test_a_sweep_of_5000_steps_relabels_once_a_model_and_trains_once_a_point(experiment) -> None:
    rounds = [{"thresholds": list(range(1, 41))}, {"thresholds": list(range(50, 81))}]
    manifest = experiment(method__confidence__rounds=rounds, method__confidence__ablations=[])
    plan = compile_plan(manifest)
    points, relabellings = 40 + 40 * 31, 40
    assert Counter(step.kind for step in plan.steps) == {
        "prepare": 5,
        "train": points + 3,  # the weak model, its ceiling, all greedy weak labels
        "evaluate": points + 3,
        "select": points + 1,
        "sample": points + 3 + relabellings + 2,  # each model's test, then labels: the weak model's greedy and others
        "grade": relabellings + 2,
        "report": 1,
    }
    assert len(keys(plan)) == len(plan.steps) > 5000
    assert compile_plan(manifest).canonical() == plan.canonical()


thresholds = st.lists(st.integers(0, 100), min_size=1, max_size=3, unique=True).map(sorted)


@settings(max_examples=25)
@given(
    rounds=st.lists(thresholds, min_size=1, max_size=3),
    seeds=st.lists(st.integers(0, 9), min_size=1, max_size=2, unique=True),
    rules=st.sampled_from([[], ["agreement"], ["calibrated", "agreement"]]),
    shuffle=st.randoms(use_true_random=False),
)
def test_the_same_manifest_gives_the_same_bytes_in_any_order_of_its_fields(
    rounds: list[list[int]], seeds: list[int], rules: list[str], shuffle: random.Random
) -> None:
    manifest = yaml.safe_load((GOLDEN / "two-rounds.yaml").read_text())
    manifest["spec"]["seeds"] = seeds
    manifest["spec"]["method"]["confidence"]["rounds"] = [{"thresholds": t, "rules": rules} for t in rounds]
    manifest["spec"]["dataset"]["splits"]["calibration"] = 50
    fields = list(manifest["spec"].items())
    shuffle.shuffle(fields)
    turned = {**manifest, "spec": dict(fields)}
    one, other = (
        compile_plan(parse_manifest(yaml.safe_dump(each, sort_keys=False), "x")) for each in (manifest, turned)
    )
    assert one.canonical() == other.canonical()
    points = len(seeds) * sum(
        len(rounds[0]) * _product(len(r) for r in rounds[1:depth]) for depth in range(1, len(rounds) + 1)
    )
    assert len([p for p in one.points if p.role == "round"]) == points


def _product(numbers) -> int:
    total = 1
    for number in numbers:
        total *= number
    return total
