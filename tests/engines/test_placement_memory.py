"""The arithmetic of placement against what PyTorch, transformers and DeepSpeed really keep."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config

from controller.plan.placement.shapes import ModelShape
from controller.plan.placement.training_memory import (
    LIVE_PARAMETERS,
    MICRO_BATCH_TOKENS,
    REDUCE_BUCKET,
    UPDATE_GROUP,
    TrainingShape,
    training_memory,
)
from w2s_jobs.contracts.settings import Parallelism, TrainingSettings
from w2s_jobs.engines import trainer
from w2s_jobs.engines.reward_scorer import _BATCH_TOKENS as SCORED_AT_ONCE

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("default")]

SHAPES = [
    ModelShape(layers=2, hidden=128, intermediate=352, heads=4, kv_heads=4, vocabulary=512, positions=2048),
    ModelShape(layers=3, hidden=256, intermediate=1024, heads=8, kv_heads=2, vocabulary=512, positions=2048),
]
MODES = {
    "bfloat16 under DeepSpeed": (TrainingSettings(), Parallelism(zero_stage=2), torch.bfloat16, False),
    "bfloat16 by autocast": (TrainingSettings(), Parallelism(), torch.float32, True),
    "float32": (TrainingSettings(dtype="float32"), Parallelism(), torch.float32, False),
}


def build(shape: ModelShape, config: type, dtype: torch.dtype):
    settings = config(
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        num_hidden_layers=shape.layers,
        vocab_size=shape.vocabulary,
        max_position_embeddings=shape.positions,
        tie_word_embeddings=False,
    )
    model = AutoModelForCausalLM.from_config(settings, attn_implementation="sdpa").to(dtype)
    return model.train()


def kept_bytes(model, tokens: int, autocast: bool) -> int:
    """Measure what a forward pass keeps for the backward pass, apart from weights and logits."""
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, torch.Tensor] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = tensor  # held, so that no other takes its place
        return tensor

    ids = torch.randint(0, 512, (2, tokens // 2), generator=torch.Generator().manual_seed(1))
    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=autocast),
    ):
        model(input_ids=ids, use_cache=False, logits_to_keep=torch.tensor([0]))
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


@pytest.mark.parametrize("config", [LlamaConfig, Qwen2Config])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", SHAPES, ids=["all heads", "grouped heads"])
def test_a_layer_keeps_what_the_arithmetic_says(shape: ModelShape, mode: str, config: type) -> None:
    training, how, dtype, autocast = MODES[mode]
    model = build(shape, config, dtype)
    # Copies of the weights are the same at any length; the rest grows with the tokens.
    measured = (kept_bytes(model, 1024, autocast) - kept_bytes(model, 512, autocast)) / 512
    no_logits = TrainingShape(shape, training, reward=True)
    per_token = training_memory(no_logits, how, 1024).activations - training_memory(no_logits, how, 512).activations
    moving = 3 * shape.intermediate * (4 if mode == "float32" else 2) + 8 * shape.hidden
    counted = per_token / 512 - moving
    assert counted == pytest.approx(measured, rel=0.1)  # beside the layers, the last norm keeps a little


def test_the_weights_are_those_that_the_shape_counts() -> None:
    for shape in SHAPES:
        model = build(shape, LlamaConfig, torch.float32)
        assert sum(parameter.numel() for parameter in model.parameters()) == pytest.approx(shape.parameters, rel=0.01)


def test_batches_and_buffers_are_those_of_the_engines() -> None:
    from deepspeed.runtime.zero.config import DeepSpeedZeroConfig

    assert trainer.MICRO_BATCH_TOKENS["cuda"] == MICRO_BATCH_TOKENS
    assert SCORED_AT_ONCE["cuda"] == 32_768
    zero = DeepSpeedZeroConfig(stage=3)
    assert zero.reduce_bucket_size == REDUCE_BUCKET
    assert zero.max_live_parameters + zero.prefetch_bucket_size == LIVE_PARAMETERS
    assert zero.sub_group_size == UPDATE_GROUP
    assert zero.overlap_comm
    assert not DeepSpeedZeroConfig(stage=2).overlap_comm
