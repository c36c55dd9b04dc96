"""How much memory vLLM's cache of keys and values gets on a CPU: in a container half of what its limit leaves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["MOST_BYTES", "cache_bytes", "memory_limit"]

MOST_BYTES = 2 << 30
"""Enough for the sequences that a CPU samples at once"""
LEAST_BYTES = 64 << 20
"""Where not even this is left, vLLM says so better than we could"""
PROGRAM_BYTES = 768 << 20
"""Python, torch and vLLM, measured in a pod"""
_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""The limit as cgroup v2 and v1 tell it"""
_UNLIMITED = 1 << 60


def cache_bytes(limit: int | None, weights: int) -> int:
    """Return the bytes of the cache beside a model with `weights` bytes; `limit` None: the machine's own memory."""
    if limit is None:
        return MOST_BYTES
    return max(LEAST_BYTES, min(MOST_BYTES, (limit - PROGRAM_BYTES - weights) // 2))


def memory_limit(files: Sequence[Path] = _FILES) -> int | None:
    """Return the bytes that the kernel lets this container use, or None where it sets no limit."""
    for file in files:
        try:
            limit = int(file.read_text())
        except (OSError, ValueError):  # not this version of cgroups, or `max`
            continue
        return limit if limit < _UNLIMITED else None
    return None
