"""Batches are formed first; how they are cut changes nothing but speed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from w2s_jobs.engines.batches import BatchPlan, Cut, group_by_length, pack

LENGTHS = st.lists(st.integers(1, 64), min_size=1, max_size=80)
RANKS = st.integers(1, 4)


def a_plan(count: int = 10, batch_size: int = 4, epochs: float = 2, seed: int = 0, cut: Cut | None = None) -> BatchPlan:
    return BatchPlan([5 + index % 7 for index in range(count)], batch_size, epochs, seed, cut or Cut(True, 64))


def test_each_epoch_learns_from_every_example_once():
    plan = a_plan(count=10, batch_size=4, epochs=3)
    assert len(plan) == 9
    for epoch in range(3):
        seen = [index for step in range(3) for index in plan.batch(3 * epoch + step)]
        assert sorted(seen) == list(range(10))


def test_epochs_are_shuffled_differently_and_the_seed_decides_how():
    plan = a_plan(count=50, batch_size=50)
    assert plan.batch(0) != plan.batch(1)
    assert plan.batch(0) == a_plan(count=50, batch_size=50).batch(0)
    assert plan.batch(0) != a_plan(count=50, batch_size=50, seed=1).batch(0)


def test_part_of_an_epoch_is_a_part_of_its_steps():
    assert len(a_plan(count=100, batch_size=10, epochs=0.5)) == 5
    assert len(a_plan(count=100, batch_size=10, epochs=0.3)) == 3
    assert len(a_plan(count=3, batch_size=10, epochs=0.01)) == 1


@given(LENGTHS, RANKS, st.booleans())
def test_a_batch_is_the_same_however_it_is_cut(lengths: list[int], ranks: int, packing: bool):
    plan = BatchPlan(lengths, 16, 1, 3, Cut(packing, 64, None, ranks))
    for step in range(len(plan)):
        micro_batches = plan.micro_batches(step)
        assert sorted(index for members in micro_batches for index in members) == sorted(plan.batch(step))
        assert len(micro_batches) % ranks == 0


@given(LENGTHS, RANKS)
def test_a_packed_row_never_holds_more_than_its_tokens(lengths: list[int], ranks: int):
    rows = pack(lengths, Cut(True, 64, None, ranks))
    assert all(sum(lengths[index] for index in row) <= 64 for row in rows)


@given(LENGTHS, RANKS, st.integers(1, 9))
def test_a_padded_group_never_holds_more_than_its_tokens_and_examples(lengths: list[int], ranks: int, examples: int):
    groups = group_by_length(lengths, Cut(False, 64, examples, ranks))
    assert all(len(group) <= examples for group in groups)
    assert all(len(group) * max(lengths[index] for index in group) <= 64 for group in groups)


def test_packed_rows_are_about_equally_long():
    rows = pack([30, 1, 1, 1, 30, 1, 30, 2], Cut(True, 34, None, 1))
    assert [sum([30, 1, 1, 1, 30, 1, 30, 2][index] for index in row) for row in rows] == [32, 32, 32]


def test_an_example_longer_than_a_row_gets_a_row_of_its_own():
    assert sorted(pack([100, 3, 4], Cut(True, 10))) == [(0,), (1,), (2,)]


def test_a_rank_without_examples_still_takes_part():
    plan = a_plan(count=1, batch_size=1, epochs=1, cut=Cut(True, 64, None, 3))
    assert plan.micro_batches(0) == [(0,), (), ()]
