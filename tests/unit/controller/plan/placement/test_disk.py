"""Bytes on a node's disk, by hand, for models of 0.5B to 72B; tests/engines measures what a checkpoint has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.plan.placement.disk import checkpoint_bytes, model_bytes, training_disk
from controller.plan.placement.shapes import FAMILIES
from controller.plan.placement.training_memory import TrainingShape
from w2s_jobs.contracts.settings import Parallelism, TrainingSettings

PLAIN = Parallelism()
IN = {"bfloat16": TrainingSettings(), "float32": TrainingSettings(dtype="float32")}


def a_training(model: str, dtype: str = "bfloat16") -> TrainingShape:
    return TrainingShape(FAMILIES[model], IN[dtype])


def zero(stage: int, ranks: int, offload: bool = False) -> Parallelism:
    return Parallelism(zero_stage=stage, ranks=ranks, offload=offload)


@pytest.mark.parametrize(
    ("dtype", "how", "bytes_each"),
    [
        ("bfloat16", PLAIN, 12),  # weights in float32, two moments
        ("float32", PLAIN, 12),
        ("bfloat16", zero(1, 4), 16),  # weights twice (for DeepSpeed and for transformers), copy and two moments
        ("bfloat16", zero(2, 4), 16),
        ("float32", zero(2, 4), 20),
        ("bfloat16", zero(3, 4), 14),  # of the weights only those for transformers
        ("bfloat16", zero(3, 8, offload=True), 14),
        ("float32", zero(3, 4), 16),
    ],
)
def test_a_checkpoint_has_so_many_bytes_a_parameter(dtype: str, how: Parallelism, bytes_each: int) -> None:
    shape = a_training("qwen1.5-72b", dtype)
    assert checkpoint_bytes(shape, how) == bytes_each * shape.model.parameters


@pytest.mark.parametrize(
    ("model", "how", "nodes", "gigabytes"),
    [
        # 0.46B: 2 to read, 12 to go on from, 12 to save
        ("qwen1.5-0.5b", PLAIN, 1, 12.1),
        ("qwen1.5-1.8b", PLAIN, 1, 47.8),
        # 8.0B: 2 + 16 + 16
        ("llama-3-8b", zero(1, 4), 1, 273),
        # 14.2B: 2 + 14 + 14
        ("qwen1.5-14b", zero(3, 4), 1, 425),
        ("qwen1.5-32b", zero(3, 8), 1, 975),
        # 72.3B on one node: 2 + 14 + 14; on four the optimizer's 12 are divided: 2 + 14 + 2 + 12/4
        ("qwen1.5-72b", zero(3, 8, offload=True), 1, 2169),
        ("qwen1.5-72b", zero(3, 32), 4, 1518),
    ],
)
def test_a_node_has_room_for_the_model_the_checkpoint_that_was_and_the_next(
    model: str, how: Parallelism, nodes: int, gigabytes: float
) -> None:
    assert training_disk(a_training(model), how, nodes) == pytest.approx(gigabytes * 1e9, rel=0.01)


@pytest.mark.parametrize(("model", "gigabytes"), [("qwen1.5-0.5b", 0.93), ("llama-3-8b", 16.1), ("qwen1.5-72b", 144.6)])
def test_a_model_that_is_only_read_takes_its_files(model: str, gigabytes: float) -> None:
    assert model_bytes(FAMILIES[model], 2) == pytest.approx(gigabytes * 1e9, rel=0.01)


@given(st.sampled_from(sorted(FAMILIES)), st.sampled_from([1, 2, 3]), st.sampled_from([2, 4, 8]), st.booleans())
def test_more_nodes_never_take_more_disk_of_each(model: str, stage: int, nodes: int, bf16: bool) -> None:
    shape, how = a_training(model, "bfloat16" if bf16 else "float32"), zero(stage, 8)
    one, many = training_disk(shape, how, 1), training_disk(shape, how, nodes)
    assert checkpoint_bytes(shape, how) < many <= one
