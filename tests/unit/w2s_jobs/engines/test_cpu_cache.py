"""The cache of keys and values of vLLM on a CPU fits beside the model into what a container may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.plan.jobs.quantity import parse_bytes
from controller.settings import WorkerDefaults
from w2s_jobs.engines.cpu_cache import LEAST_BYTES, MOST_BYTES, PROGRAM_BYTES, cache_bytes, memory_limit


def test_a_machine_without_a_limit_gives_all_that_a_cpu_needs() -> None:
    assert cache_bytes(None, weights=10**12) == MOST_BYTES


@pytest.mark.parametrize("weights", [10**6, 540 * 10**6])
def test_program_model_and_cache_fit_into_the_default_memory_of_a_worker(weights: int) -> None:
    limit = parse_bytes(WorkerDefaults().memory)
    cache = cache_bytes(limit, weights)
    assert cache >= LEAST_BYTES
    assert PROGRAM_BYTES + weights + cache < 0.9 * limit


def test_much_memory_gives_no_more_than_is_needed_and_too_little_is_left_to_vllm_to_refuse() -> None:
    assert cache_bytes(64 << 30, weights=10**9) == MOST_BYTES
    assert cache_bytes(1 << 30, weights=10**9) == LEAST_BYTES


@pytest.mark.parametrize(
    ("written", "limit"), [("2147483648\n", 2 << 30), ("max\n", None), ("9223372036854771712\n", None), (None, None)]
)
def test_the_limit_is_read_from_the_control_group(tmp_path: Path, written: str | None, limit: int | None) -> None:
    file = tmp_path / "memory.max"
    if written is not None:
        file.write_text(written)
    assert memory_limit([tmp_path / "absent", file]) == limit
