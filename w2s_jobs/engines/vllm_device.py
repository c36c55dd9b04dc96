"""How vLLM is set up on a CPU and on GPUs. The only place where the two differ; table-tested.

A per-request seed fails on a CPU ("CPU Generator does not use offset"), so there the row's seed goes to our own logits
processor, which draws by the same rule as the transformers sampler. A GPU uses vLLM's seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from w2s_jobs.engines.cpu_cache import MOST_BYTES

__all__ = ["BYTES_OF", "VllmDevice", "cpu_dtype", "vllm_device"]

BYTES_OF = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Bytes of a number of each dtype"""

GPU_SEQUENCES = 256
"""sequences that one step of the engine draws a token of; its default for an engine fed by hand is 128"""
GPU_BATCH_TOKENS = 8192
"""tokens of one step of the engine; its default for an engine fed by hand is 2,048"""
SEEDED_PROCESSOR = "w2s_jobs.engines.vllm_seeding:SeededSampling"


@dataclass(frozen=True)
class VllmDevice:
    """Settings of the engine that depend on the device."""

    environment: dict[str, str]
    arguments: dict[str, Any] = field(default_factory=dict)
    native_seeds: bool = True
    """True: SamplingParams(seed=…); False: the seeded logits processor"""
    in_flight: int = 512
    """requests kept in the engine, so that it never runs dry while a chunk is written"""


def cpu_dtype(dtype: str) -> str:
    """Return the dtype of a model's weights on a CPU, whatever its files have."""
    return "float32" if dtype == "auto" else dtype


def vllm_device(gpus: int, threads: int, dtype: str, cpu_cache: int = MOST_BYTES) -> VllmDevice:
    """Return the settings for `gpus` GPUs, or when there are none for a CPU with `threads` threads.

    There the keys and values of all sequences get `cpu_cache` bytes.
    """
    if gpus > 0:
        return VllmDevice(
            environment={},
            arguments={
                "tensor_parallel_size": gpus,
                "dtype": "bfloat16" if dtype == "auto" else dtype,
                "gpu_memory_utilization": 0.9,
                # vLLM's own numbers differ from card to card; these are what a placement counts with.
                "max_num_seqs": GPU_SEQUENCES,
                "max_num_batched_tokens": GPU_BATCH_TOKENS,
            },
            in_flight=1024,
        )
    return VllmDevice(
        environment={
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "OMP_NUM_THREADS": str(threads),
            # One process: the second core is better spent on the first process's matrix products.
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        },
        arguments={
            "dtype": cpu_dtype(dtype),
            "kv_cache_memory_bytes": cpu_cache,
            "enforce_eager": True,  # compiling takes longer than it saves
            "async_scheduling": False,  # the seeded processor counts the tokens drawn so far
            "logits_processors": [SEEDED_PROCESSOR],
            "max_num_seqs": 128,
        },
        native_seeds=False,
        in_flight=256,
    )
