"""Bytes that sampling and scoring hold on each GPU.

Source: Kwon et al. 2023 (vLLM), section 3, for the cache of keys and values; Shoeybi et al. 2019 (Megatron-LM),
section 3, for what tensor parallelism divides.
"""

from __future__ import annotations

from dataclasses import dataclass

from controller.plan.placement.shapes import ModelShape

__all__ = [
    "BATCH_TOKENS",
    "SCORING_TOKENS",
    "SEQUENCES_AT_ONCE",
    "SamplingMemory",
    "SamplingShape",
    "sampling_memory",
    "scoring_bytes",
    "whole_model_bytes",
]

BATCH_TOKENS = 8192
"""Tokens of one step of the engine (`w2s_jobs/engines/vllm_device.py`)."""
SEQUENCES_AT_ONCE = 256
"""Sequences that one step of the engine draws a token of (the same file)."""
SCORING_TOKENS = 32_768
"""Tokens of one batch of a reward model (`w2s_jobs/engines/reward_scorer.py`)."""
_DRAWING_BYTES = 24
"""Bytes a logit while tokens are drawn: in 16 bit and in float32, sorted with their places, as probabilities."""
_CONTEXT_BYTES = 2e9
"""CUDA context, graphs of the decoding steps, buffers of the communication."""


@dataclass(frozen=True)
class SamplingShape:
    """What a sampling is of."""

    model: ModelShape
    tokens: int
    """tokens of one sequence: prompt and longest completion"""
    bytes_each: int = 2
    """bytes of a weight, and of a number in the cache"""


@dataclass(frozen=True)
class SamplingMemory:
    """Bytes on one GPU."""

    weights: float
    working: float
    sequence: float
    """sequence: cache of keys and values of one sequence of the stated length"""
    longest: float
    """longest: cache of one sequence of all the positions that the model has, for which vLLM wants room to start"""

    def total(self, sequences: int) -> float:
        """Bytes with room for so many sequences."""
        return self.weights + self.working + max(sequences * self.sequence, self.longest)


def sampling_memory(shape: SamplingShape, parallel: int) -> SamplingMemory:
    """Compute what one of `parallel` tensor-parallel GPUs holds.

    Matrices are divided by rows or columns, heads of keys and values as far as there are that many.
    """
    model, size = shape.model, shape.bytes_each
    a_token = 2 * model.layers * model.kv_width * size / min(parallel, model.kv_heads)
    batch = BATCH_TOKENS * (4 * model.hidden + 3 * model.intermediate / parallel) * size
    return SamplingMemory(
        weights=size * model.parameters / parallel,
        working=_CONTEXT_BYTES + batch + SEQUENCES_AT_ONCE * model.vocabulary * _DRAWING_BYTES,
        sequence=a_token * shape.tokens,
        longest=a_token * model.positions,
    )


def whole_model_bytes(shape: SamplingShape) -> float:
    """Compute what a GPU holds that samples with transformers (`w2s_jobs/engines/transformers_sampler.py`).

    A batch is of 512 rows and 65,536 tokens at most; the cache is copied when it grows.
    """
    model, size = shape.model, shape.bytes_each
    cache = 2 * 2 * model.layers * model.kv_width * size * 65_536
    return size * model.parameters + cache + 512 * model.vocabulary * _DRAWING_BYTES + _CONTEXT_BYTES


def scoring_bytes(model: ModelShape, gpus: int) -> float:
    """Compute what the fullest of `gpus` GPUs holds while a reward model, in bfloat16, judges.

    Whole layers lie on one GPU or another, so one may have a layer more than its share; the batch passes through.
    """
    weights = 2 * model.parameters / gpus + (2 * model.layer_parameters if gpus > 1 else 0)
    batch = SCORING_TOKENS * (4 * model.hidden + 3 * model.intermediate) * 2
    return weights + batch + _CONTEXT_BYTES
