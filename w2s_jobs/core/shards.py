"""Row ranges: which rows a shard works on, and which are committed together."""

from __future__ import annotations

__all__ = ["chunk_ranges", "shard_range"]


def shard_range(rows: int, shard: int, shards: int) -> range:
    """Return the contiguous rows of one shard; the shards' sizes differ by one at most."""
    if not 0 <= shard < shards:
        raise ValueError(f"shard must be in 0..{shards - 1}; got {shard}")
    return range(rows * shard // shards, rows * (shard + 1) // shards)


def chunk_ranges(rows: int, chunk_rows: int) -> list[range]:
    """Cut all rows of a step into chunks. They are global, so any number of shards commits the same chunks."""
    return [range(start, min(start + chunk_rows, rows)) for start in range(0, rows, chunk_rows)]
