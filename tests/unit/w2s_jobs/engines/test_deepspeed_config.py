"""One builder of DeepSpeed configurations, read as a table."""

from __future__ import annotations

from typing import Any

import pytest

from w2s_jobs.contracts.settings import Parallelism, TrainingSettings
from w2s_jobs.engines.deepspeed_config import build_deepspeed_config

HOST = {"device": "cpu", "pin_memory": True}
GATHER = {"stage3_gather_16bit_weights_on_model_save": True}

CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("data parallelism only", {"zero_stage": 0, "ranks": 2}, {"stage": 0}),
    ("optimizer state in shards", {"zero_stage": 1, "ranks": 2}, {"stage": 1}),
    ("gradients in shards", {"zero_stage": 2, "ranks": 8}, {"stage": 2}),
    ("weights in shards, gathered to be saved", {"zero_stage": 3, "ranks": 8}, {"stage": 3, **GATHER}),
    ("optimizer state on the host", {"zero_stage": 2, "offload": True}, {"stage": 2, "offload_optimizer": HOST}),
    (
        "weights on the host too",
        {"zero_stage": 3, "offload": True},
        {"stage": 3, **GATHER, "offload_optimizer": HOST, "offload_param": HOST},
    ),
]


@pytest.mark.parametrize(("reason", "parallelism", "zero"), CASES, ids=[case[0] for case in CASES])
def test_each_stage_has_its_configuration(reason: str, parallelism: dict[str, Any], zero: dict[str, Any]):
    config = build_deepspeed_config(Parallelism(**parallelism), TrainingSettings(), bf16=False)
    assert config["zero_optimization"] == zero


def test_a_step_is_one_batch_whatever_the_settings_say():
    config = build_deepspeed_config(Parallelism(zero_stage=2, ranks=4), TrainingSettings(global_batch_size=77), True)
    assert (config["train_micro_batch_size_per_gpu"], config["gradient_accumulation_steps"]) == (1, 1)
    assert config["bf16"] == {"enabled": True}


def test_offload_takes_the_optimizer_that_computes_on_the_host():
    training = TrainingSettings(learning_rate=3e-4, weight_decay=0.1)
    plain = build_deepspeed_config(Parallelism(zero_stage=2), training, bf16=True)
    offloaded = build_deepspeed_config(Parallelism(zero_stage=2, offload=True), training, bf16=True)
    assert "optimizer" not in plain
    assert offloaded["optimizer"] == {"type": "AdamW", "params": {"lr": 3e-4, "weight_decay": 0.1}}


def test_a_training_without_zero_has_no_configuration():
    with pytest.raises(ValueError, match="runs without DeepSpeed"):
        build_deepspeed_config(Parallelism(), TrainingSettings(), bf16=False)
