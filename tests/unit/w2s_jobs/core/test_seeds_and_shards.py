from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from w2s_jobs.core.seeds import derive_seed
from w2s_jobs.core.shards import chunk_ranges, shard_range


def test_a_seed_depends_on_every_part_and_on_nothing_else() -> None:
    assert derive_seed(1, "row", 2) == derive_seed(1, "row", 2)
    assert (
        len({derive_seed(1, "row", 2), derive_seed(2, "row", 2), derive_seed(1, "row2"), derive_seed(1, "row", 3)}) == 4
    )


@given(st.integers(0, 500), st.integers(1, 20))
def test_shards_partition_the_rows(rows: int, shards: int) -> None:
    parts = [shard_range(rows, shard, shards) for shard in range(shards)]
    assert [row for part in parts for row in part] == list(range(rows))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@given(st.integers(0, 500), st.integers(1, 64))
def test_chunks_partition_the_rows(rows: int, size: int) -> None:
    assert [row for chunk in chunk_ranges(rows, size) for row in chunk] == list(range(rows))
