"""examples/paper of the paper `reward`: which trainings there are, counted by hand, and that nothing is done twice."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from controller.api.parse import parse_manifest
from controller.api.reward import RewardMethod
from controller.api.v1alpha1 import WeakToStrongExperiment
from controller.plan.compile import compile_plan
from controller.plan.estimate import estimate
from controller.plan.graph import Plan
from w2s_jobs.contracts.families import FAMILIES

FOLDER = Path(__file__).parents[2] / "examples" / "paper"
MAP = FOLDER.parents[1] / "docs" / "paper-reward.md"
CHAIN = ("0.5b", "1.8b", "4b", "7b")
EXTENDED = (*CHAIN, "32b", "72b")
MANIFESTS = {"qwen1.5-chain": CHAIN, "qwen1.5-extended": EXTENDED}


@cache
def experiment_of(name: str) -> WeakToStrongExperiment:
    return parse_manifest((FOLDER / f"{name}.yaml").read_text(), name)


@cache
def plan_of(name: str) -> Plan:
    return compile_plan(experiment_of(name))


def trained(plan: Plan) -> Counter[str]:
    return Counter(step.role for step in plan.steps if step.kind == "train")


def test_the_chain_has_every_training_of_the_papers_figures_for_each_pair_of_sizes() -> None:
    plan = plan_of("qwen1.5-chain")
    pairs = list(combinations(CHAIN, 2))
    assert [(p.weak, p.model) for p in plan.points if p.role == "wts"] == pairs
    assert trained(plan) == {
        "weak": 3 * 8,  # one a capability; the largest teaches nobody
        "ceiling": 3,  # the smallest learns from nobody
        "wts": 6,
        "reward-model": 6,
        "selected": 6 * 2,  # by reward, and as many at random
        "wts-single": 6 * 8,
        "wts-2": 6,
        "mixed": 6,
        "no-warm-up": 6,
        "clean": 6,
        "noise": 6 * 4,
        "weakened": 3 * 2,  # of pairs whose teacher is not the smallest
        "removed": 6 * 2,
    }
    assert Counter(p.role for p in plan.points)["in-context"] == 3


def test_the_extended_chain_has_the_baselines_and_the_method_for_adjacent_sizes() -> None:
    plan = plan_of("qwen1.5-extended")
    assert [(p.weak, p.model) for p in plan.points if p.role == "selected"] == list(pairwise(EXTENDED))
    assert trained(plan) == {"weak": 5 * 8, "ceiling": 5, "wts": 5, "reward-model": 5, "selected": 5}


@pytest.mark.parametrize("name", MANIFESTS)
def test_each_weak_model_labels_each_capability_once_whoever_learns_from_it(name: str) -> None:
    plan = plan_of(name)
    pairs = len([p for p in plan.points if p.role == "wts"])
    teachers = len(MANIFESTS[name]) - 1
    names = [step.name for step in plan.steps if step.kind == "sample" and " labels " in step.name]
    second = len([p for p in plan.points if p.role == "wts-2"])
    assert len(names) == teachers * 8 + pairs + second
    assert len([step for step in plan.steps if step.kind == "score"]) == pairs


def test_what_both_manifests_ask_for_is_computed_once() -> None:
    chain, extended = (plan_of(name).by_key for name in MANIFESTS)
    shared = [extended[key] for key in extended.keys() & chain.keys()]
    assert Counter(step.role for step in shared if step.kind == "train") == {
        "weak": 3 * 8,
        "ceiling": 3,
        "wts": 3,
        "reward-model": 3,
        "selected": 3,
    }


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_settings_are_those_of_section_5_1(name: str) -> None:
    spec = experiment_of(name).spec
    training = spec.training
    assert (training.epochs, training.global_batch_size, training.learning_rate) == (2, 40, 1e-5)
    assert (training.weight_decay, training.schedule, training.warmup_ratio) == (0.01, "cosine", 0)
    plan = plan_of(name)
    assert {step.params.training for step in plan.steps if step.kind == "train"} == {training}
    assert {step.params.sampling.temperature for step in plan.steps if step.kind == "sample"} == {0}
    ranks, micro = spec.placement.training.parallelism.ranks, spec.placement.training.parallelism.micro_batch_size
    assert micro is not None
    assert training.global_batch_size % (ranks * micro) == 0


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_eight_capabilities_are_split_into_halves_of_their_published_train_sets(name: str) -> None:
    tasks = experiment_of(name).spec.tasks
    assert sorted(one.name for one in tasks) == sorted(
        ("gsm8k", "mctaco", "scan", "creak", "ecqa", "esnli", "openbookqa", "sciq")
    )
    for one in tasks:
        splits = one.dataset.splits
        if one.name in ("scan", "esnli"):
            assert splits.labelled == splits.unlabelled
        else:
            assert splits.unlabelled is None
            assert splits.test is None
            assert splits.labelled == FAMILIES[one.task.family].train_rows // 2
    assert tasks == experiment_of("qwen1.5-chain").spec.tasks


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_is_priced_on_its_pool_fits_and_saves_by_sharing(name: str) -> None:
    total = estimate(plan_of(name), experiment_of(name).spec)
    assert not total.warnings
    assert total.price == pytest.approx(1.8 * total.gpu_hours)
    assert 0 < total.gpu_hours < 0.7 * total.gpu_hours_without_sharing


def test_every_table_and_figure_of_the_paper_has_its_place_on_the_map() -> None:
    rows = [line.split("|")[1] for line in MAP.read_text().splitlines() if re.match(r"\| (table|figure)", line)]
    numbers = {kind: set[int]() for kind in ("table", "figure")}
    for row in rows:
        kind, rest = re.match(r" (table|figure)s? ([^:]*)", row).groups()
        numbers[kind] |= {int(number) for number in re.findall(r"\d+", rest)}
    assert numbers == {"table": set(range(1, 4)), "figure": set(range(1, 41))}


def test_every_field_of_the_method_is_on_the_map() -> None:
    text = MAP.read_text()
    missing = [
        field.alias or name
        for name, field in RewardMethod.model_fields.items()
        if not re.search(rf"`{field.alias or name}\b", text)
    ]
    assert not missing
