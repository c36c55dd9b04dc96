"""What holds for every model, pool and training."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.api.placement import SamplingPlacement, TrainingParallelism, TrainingPlacement
from controller.plan.placement.choice import Cards
from controller.plan.placement.sampling import Work, choose_sampling, choose_scoring, choose_shards
from controller.plan.placement.sampling_memory import SamplingShape
from controller.plan.placement.shapes import FAMILIES, shape_of_size
from controller.plan.placement.training import choose_training
from controller.plan.placement.training_memory import TrainingShape, training_memory
from w2s_jobs.contracts.settings import Parallelism, TrainingSettings

models = st.one_of(
    st.sampled_from(sorted(FAMILIES.values(), key=lambda shape: shape.parameters)),
    st.floats(1e7, 4e11).map(shape_of_size),
)
cards = st.builds(
    Cards,
    name=st.just("a pool"),
    memory=st.floats(16e9, 200e9),
    per_node=st.sampled_from([1, 2, 4, 6, 8, 16]),
    nodes=st.integers(1, 9),
    host_memory=st.one_of(st.none(), st.floats(1e11, 4e12)),
)
trainings = st.builds(
    TrainingShape,
    models,
    st.builds(
        TrainingSettings,
        global_batch_size=st.sampled_from([1, 8, 30, 40, 77, 128, 1024]),
        max_seq_len=st.sampled_from([16, 256, 1000, 1024, 4096, 16384]),
        gradient_checkpointing=st.booleans(),
        packing=st.booleans(),
        dtype=st.sampled_from(["auto", "bfloat16", "float32"]),
    ),
    reward=st.booleans(),
)
AUTO = TrainingPlacement(pool="x")
MUCH = settings(max_examples=80)


def more(pool: Cards, factor: float) -> Cards:
    return Cards(pool.name, pool.memory * factor, pool.per_node, pool.nodes, pool.host_memory)


@MUCH
@given(trainings, cards, st.floats(1, 4))
def test_more_memory_never_needs_more_gpus_for_a_training(shape: TrainingShape, pool: Cards, factor: float) -> None:
    few, much = choose_training(shape, pool, AUTO), choose_training(shape, more(pool, factor), AUTO)
    if few.fits:
        assert much.fits
        assert much.parallelism.ranks <= few.parallelism.ranks
        assert not much.parallelism.offload or few.parallelism.offload


@MUCH
@given(trainings, cards)
def test_a_training_stays_in_its_pool_and_keeps_its_batch(shape: TrainingShape, pool: Cards) -> None:
    choice = choose_training(shape, pool, AUTO)
    ranks, batch = choice.parallelism.ranks, shape.training.global_batch_size
    assert choice.gpus * choice.nodes == ranks
    assert choice.gpus <= pool.per_node
    assert choice.nodes <= pool.nodes
    assert choice.micro_batch * choice.accumulation * ranks == batch
    if choice.fits:
        assert choice.memory <= pool.budget
        assert choice.memory == training_memory(shape, choice.parallelism, _tokens(shape, choice.parallelism)).total


def _tokens(shape: TrainingShape, how: Parallelism) -> int:
    """Tokens of a micro-batch by the rule of `w2s_jobs.engines.trainer.plan_batches`."""
    longest, size = shape.training.max_seq_len, how.micro_batch_size
    return max(longest, 8192) if size is None else longest * size


@MUCH
@given(trainings, cards, st.data())
def test_what_is_set_stays(shape: TrainingShape, pool: Cards, data: st.DataObject) -> None:
    nodes = data.draw(st.integers(1, pool.nodes))
    ranks = nodes * data.draw(st.integers(1, pool.per_node))
    wanted = TrainingParallelism(
        ranks=data.draw(st.sampled_from([None, ranks])),
        zero_stage=data.draw(st.sampled_from([None, 2, 3])),
        offload=data.draw(st.sampled_from([None, True, False])),
        micro_batch_size=data.draw(st.sampled_from([None, 1, 4])),
    )
    choice = choose_training(shape, pool, TrainingPlacement(pool="x", nodes=nodes, parallelism=wanted))
    found = choice.parallelism.model_dump()
    assert found.items() >= {name: value for name, value in wanted.model_dump().items() if value is not None}.items()
    assert choice.nodes == nodes
    assert choice.gpus * nodes == choice.parallelism.ranks


@MUCH
@given(models, cards, st.floats(1, 4), st.floats(0, 1e6), st.integers(1, 4096))
def test_sampling_divides_heads_stays_in_its_node_and_needs_no_more_gpus_with_more_memory(
    model, pool: Cards, factor: float, seconds: float, tokens: int
) -> None:
    wanted, work, shape = SamplingPlacement(pool="x"), Work(seconds, 10_000), SamplingShape(model, tokens)
    few, much = (
        choose_shards(choose_sampling(shape, each, wanted), work, each, wanted) for each in (pool, more(pool, factor))
    )
    for choice in (few, much):
        assert model.heads % choice.gpus == 0
        assert choice.gpus <= pool.per_node
        assert choice.gpus * choice.shards <= pool.count
    if few.fits:
        assert much.fits
        assert much.gpus <= few.gpus


@MUCH
@given(models, cards, st.floats(1, 4))
def test_scoring_needs_no_more_gpus_with_more_memory(model, pool: Cards, factor: float) -> None:
    wanted = SamplingPlacement(pool="x")
    few, much = (choose_scoring(model, each, wanted) for each in (pool, more(pool, factor)))
    assert few.gpus <= pool.per_node
    assert not few.fits or (much.fits and much.gpus <= few.gpus)


@MUCH
@given(trainings, st.sampled_from([1, 2, 3]), st.integers(1, 64), st.integers(1, 20_000))
def test_more_ranks_and_fewer_tokens_never_need_more_memory(
    shape: TrainingShape, stage: int, ranks: int, tokens: int
) -> None:
    one = training_memory(shape, Parallelism(zero_stage=stage, ranks=ranks), tokens)
    two = training_memory(shape, Parallelism(zero_stage=stage, ranks=2 * ranks), tokens)
    three = training_memory(shape, Parallelism(zero_stage=stage, ranks=ranks), tokens + 1)
    assert two.total <= one.total <= three.total
