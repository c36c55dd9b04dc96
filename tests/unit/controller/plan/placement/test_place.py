"""Placement of whole plans: what is placed, what stays, what is refused, and that no key depends on it."""

from __future__ import annotations

import pytest

from controller.api.parse import parse_manifest
from controller.errors import DoesNotFit, InvalidExperiment
from controller.plan.compile import compile_plan
from controller.plan.placement import sampling_memory
from controller.plan.placement.place import PlacedPlan, place_steps
from controller.plan.placement.sampling import CHUNK_ROWS
from w2s_jobs.contracts.steps import Execution
from w2s_jobs.engines.vllm_device import GPU_BATCH_TOKENS, GPU_SEQUENCES, vllm_device

POOL = {"name": "h100", "gpu": "H100-80GB", "gpusPerNode": 8}
EVERYWHERE = {name: {"pool": "h100"} for name in ("weakSampling", "strongSampling", "training")}
ON_GPUS_ONLY = {**EVERYWHERE, "training": {"pool": "h100", "parallelism": {"offload": False}}}
CHECKPOINTED = {"gradientCheckpointing": True}


def placed(experiment, **changes) -> PlacedPlan:
    manifest = experiment(**{"pools": [POOL], "placement": EVERYWHERE, "training": CHECKPOINTED, **changes})
    return place_steps(compile_plan(manifest), manifest.spec)


def strong_training(found: PlacedPlan):
    return next(one for one in found.placements if (one.kind, one.model) == ("train", "strong"))


def test_no_key_depends_on_placement(experiment) -> None:
    plain = compile_plan(experiment(training=CHECKPOINTED))
    found = placed(experiment).plan
    assert [step.key for step in plain.steps] == [step.key for step in found.steps]
    assert [step.params for step in plain.steps] == [step.params for step in found.steps]


def test_steps_on_cpus_stay_as_they_are(experiment) -> None:
    manifest = experiment()
    plan = compile_plan(manifest)
    found = place_steps(plan, manifest.spec)
    assert found.placements == ()
    assert found.plan == plan
    assert {step.resources.gpus for step in plan.steps} == {0}
    assert all("nodes" not in step.to_json()["resources"] for step in plan.steps)


def test_placing_twice_is_placing_once(experiment) -> None:
    manifest = experiment(pools=[POOL], placement=EVERYWHERE, training=CHECKPOINTED)
    once = place_steps(compile_plan(manifest), manifest.spec)
    assert place_steps(once.plan, manifest.spec) == once


def test_a_training_gets_gpus_nodes_and_parallelism_with_the_reason(experiment) -> None:
    found = placed(experiment)
    one = strong_training(found)
    step = found.plan.step(one.steps[0])
    assert (step.resources.gpus, step.resources.nodes, step.resources.all_gpus) == (4, 1, 4)
    assert (step.parallelism.ranks, step.parallelism.zero_stage) == (4, 1)
    assert step.resources.host_memory > 2 * 8e9
    assert one.choice.reason.startswith("4 GPUs, ZeRO-1: ")
    assert "fewer GPUs would need " in one.choice.reason
    assert one.choice.reason.endswith("x 8 x 4 ranks = batch of 128")


def test_a_training_over_nodes_has_the_gpus_of_one_node_on_each(experiment) -> None:
    strong = {"source": {"hub": {"name": "org/strong-70B", "revision": "0123456789"}}}
    found = placed(experiment, pools=[{**POOL, "nodes": 8}], models__strong=strong)
    resources = found.plan.step(strong_training(found).steps[0]).resources
    assert (resources.gpus, resources.nodes, resources.all_gpus) == (8, 4, 32)


def test_what_the_manifest_sets_stays(experiment) -> None:
    placement = {
        "weakSampling": {"pool": "h100", "gpus": 2, "shards": 3},
        "strongSampling": {"pool": "h100"},
        "training": {"pool": "h100", "nodes": 2, "parallelism": {"ranks": 8, "zeroStage": 3, "microBatchSize": 2}},
    }
    found = placed(experiment, pools=[{**POOL, "nodes": 2}], placement=placement)
    train = found.plan.step(strong_training(found).steps[0])
    assert (train.resources.gpus, train.resources.nodes) == (4, 2)
    assert (train.parallelism.zero_stage, train.parallelism.micro_batch_size) == (3, 2)
    weak = next(step for step in found.plan.steps if step.kind == "sample" and step.role == "weak")
    assert (weak.resources.gpus, weak.shards) == (2, 3)


def test_long_sampling_is_shared_by_shards_that_each_have_work_for_minutes(experiment) -> None:
    splits = {"labelled": 100, "unlabelled": 5000, "test": 50}
    found = placed(experiment, dataset__splits=splits, sampling={"samples": 200})
    samples = {step.name: step.shards for step in found.plan.steps if step.kind == "sample"}
    assert 1 < samples["weak labels seed 0"] <= 8
    assert samples["sample test, weak/seed0"] == 1


def test_what_fits_nowhere_is_refused_with_path_arithmetic_and_fix(experiment) -> None:
    forbidden = {**EVERYWHERE, "training": {"pool": "h100", "parallelism": {"offload": False}}}
    pool = {"name": "h100", "gpu": "A100-40GB"}
    with pytest.raises(DoesNotFit) as refused:
        placed(experiment, pools=[pool], placement=forbidden)
    assert isinstance(refused.value, InvalidExperiment)
    message = str(refused.value)
    assert "spec.placement.training: training 8.0B parameters in bfloat16 at maxSeqLen 1024 fits nowhere" in message
    assert "(1 node of 1 A100-40GB)" in message
    assert "weights 32.1, gradients 32.1, optimizer 64.2" in message
    assert "Try more nodes or GPUs in the pool" in message
    assert all(path == ("spec", "placement", "training") for path, _ in refused.value.found)


def test_every_misfit_is_said_at_once(experiment) -> None:
    strong = {"source": {"hub": {"name": "org/strong-70B", "revision": "0123456789"}}}
    with pytest.raises(DoesNotFit) as refused:
        placed(experiment, pools=[{"name": "h100", "gpu": "L4-24GB"}], models__strong=strong)
    paths = {path[-1] for path, _ in refused.value.found}
    assert "strongSampling" in paths


def test_a_person_who_knows_better_is_warned_and_followed(experiment) -> None:
    forbidden = {"training": {"pool": "h100", "parallelism": {"offload": False}}, "onMisfit": "warn"}
    found = placed(experiment, pools=[{"name": "h100", "gpu": "A100-40GB"}], placement={**EVERYWHERE, **forbidden})
    assert any("fits nowhere" in warning for warning in found.warnings)
    assert strong_training(found).choice.parallelism.offload is False


def test_offload_that_the_nodes_memory_cannot_take_is_refused(experiment) -> None:
    pool = {"name": "h100", "gpu": "A100-40GB"}
    assert strong_training(placed(experiment, pools=[pool])).choice.parallelism.offload
    with pytest.raises(DoesNotFit, match=r"of each node's own memory, and hostMemory is 64\.0 GB"):
        placed(experiment, pools=[{**pool, "hostMemory": 64}])


def test_a_model_that_the_nodes_memory_cannot_load_is_refused_without_offload_too(experiment) -> None:
    assert strong_training(placed(experiment, placement=ON_GPUS_ONLY)).choice.fits
    with pytest.raises(DoesNotFit, match=r"loading and saving it takes [\d.]+ GB of each node's own memory, and host"):
        placed(experiment, pools=[{**POOL, "hostMemory": 8}], placement=ON_GPUS_ONLY)


def test_less_memory_of_the_nodes_makes_a_training_take_a_higher_stage(experiment) -> None:
    """At stage 3 a rank loads its part only."""
    found = strong_training(placed(experiment, pools=[{**POOL, "hostMemory": 20}])).choice
    assert (found.parallelism.zero_stage, found.parallelism.offload) == (3, False)
    assert found.host_memory <= 20e9


def test_every_step_on_a_pool_knows_the_disk_that_its_model_takes(experiment) -> None:
    found = placed(experiment).plan
    on_disk = {(step.kind, step.role): step.resources.disk for step in found.steps if step.resources.pool}
    assert (
        on_disk["sample", "weak"]
        < on_disk["sample", "strong"]
        < min(size for (kind, _), size in on_disk.items() if kind == "train")
    )
    assert {step.resources.disk for step in found.steps if not step.resources.pool} == {0}


def test_heads_that_the_gpus_cannot_share_are_refused_before_vllm_does(experiment) -> None:
    weak = {"source": {"hub": {"name": "Qwen/Qwen2.5-0.5B", "revision": "0123456789"}}}
    placement = {**EVERYWHERE, "weakSampling": {"pool": "h100", "gpus": 4}}
    with pytest.raises(DoesNotFit, match=r"4 GPUs cannot share 14 heads .* Set gpus to one of 1, 2, 14"):
        placed(experiment, models__weak=weak, placement=placement)


def test_a_model_of_unknown_size_is_placed_as_the_manifest_says(experiment) -> None:
    strong = {"source": {"hub": {"name": "org/mystery", "revision": "0123456789"}}}
    training = {"pool": "h100", "parallelism": {"ranks": 8, "zeroStage": 2}}
    found = placed(experiment, models__strong=strong, placement={**EVERYWHERE, "training": training})
    one = strong_training(found)
    assert "Set `parameters` of the model" in one.choice.reason
    step = found.plan.step(one.steps[0])
    assert (step.resources.gpus, step.parallelism.ranks, step.parallelism.zero_stage) == (8, 8, 2)


def test_a_reward_model_is_judged_on_as_few_gpus_as_hold_it(reward_experiment) -> None:
    placement = {**EVERYWHERE, "strongSampling": {"pool": "h100", "gpus": 4}}
    manifest = reward_experiment(pools=[POOL], placement=placement, training=CHECKPOINTED)
    plan = compile_plan(manifest)
    assert {step.resources.gpus for step in plan.steps if step.kind == "score"} == {1}
    assert {s.resources.gpus for s in plan.steps if s.kind == "sample" and s.role == "strong"} == {4}


def test_the_batch_that_is_planned_with_is_the_one_that_the_engine_is_given() -> None:
    assert (sampling_memory.SEQUENCES_AT_ONCE, sampling_memory.BATCH_TOKENS) == (GPU_SEQUENCES, GPU_BATCH_TOKENS)
    arguments = vllm_device(4, 2, "auto").arguments
    assert (arguments["tensor_parallel_size"], arguments["max_num_seqs"]) == (4, GPU_SEQUENCES)
    assert Execution.model_fields["chunk_rows"].default == CHUNK_ROWS


@pytest.mark.parametrize(
    ("pool", "training", "message"),
    [
        ({}, {"parallelism": {"ranks": 16}}, "parallelism.ranks: 16 are more than the GPUs of pool 'h100': 8"),
        ({"nodes": 2}, {"parallelism": {"ranks": 9}}, "ranks: 9 cannot be spread evenly over up to 2 nodes of 8 GPUs"),
        ({"nodes": 2}, {"nodes": 3}, "placement.training.nodes: 3 are more than pool 'h100' has: 2 nodes"),
        ({"nodes": 4}, {"gpus": 9, "nodes": 2}, "training.gpus: 9 cannot be spread evenly over 2 nodes of 8 GPUs"),
    ],
)
def test_ranks_and_nodes_that_no_pool_could_hold_are_refused(experiment, pool, training, message: str) -> None:
    with pytest.raises(InvalidExperiment) as refused:
        experiment(pools=[{**POOL, **pool}], placement={"training": {"pool": "h100", **training}})
    assert message in str(refused.value)


@pytest.mark.parametrize("parallelism", [{}, {"ranks": 2}, {"zeroStage": 2, "ranks": 3}])
def test_nodes_of_cpus_share_the_ranks_of_deepspeed_evenly(experiment, parallelism) -> None:
    with pytest.raises(InvalidExperiment, match=r"placement\.training\.nodes: 2 nodes on CPUs need zeroStage, and"):
        experiment(placement={"training": {"nodes": 2, "parallelism": parallelism}})


def test_a_training_is_spread_over_nodes_of_cpus_under_the_same_key(experiment) -> None:
    parallelism = {"zeroStage": 2, "ranks": 4}
    one = compile_plan(experiment(placement={"training": {"parallelism": parallelism}}))
    two = compile_plan(experiment(placement={"training": {"nodes": 2, "parallelism": parallelism}}))
    assert {step.key for step in one.steps} == {step.key for step in two.steps}
    assert {step.resources.nodes for step in one.steps} == {1}
    assert {step.kind for step in two.steps if step.resources.nodes == 2} == {"train"}
    assert {step.resources.nodes for step in two.steps if step.kind == "train"} == {2}


def test_the_line_of_the_placement_is_named(tmp_path) -> None:
    from controller.cli.experiment_file import read_plan
    from tests.unit.controller.conftest import TINY

    file = tmp_path / "tiny.yaml"
    file.write_text(
        TINY + "  pools: [{name: small, gpu: L4-24GB}]\n"
        "  placement:\n    training: {pool: small, parallelism: {offload: false}}\n"
    )
    with pytest.raises(DoesNotFit, match=r"tiny\.yaml: line 22: spec\.placement\.training: training "):
        read_plan(file)
    assert parse_manifest(file.read_text(), "tiny").metadata.name == "tiny"
