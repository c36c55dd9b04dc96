"""Selection by a reward model, and its random counterpart (paper `reward`, section 4.2 and table 2)."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.labels import Labels, a_vote, scores_of, votes_of
from tests.support.steps import Bench
from w2s_jobs.contracts.errors import InputError

HALF = {"minReward": 0.5}
EVERYTHING = {"requireValid": False}

rewards_of_rows = st.lists(st.floats(0, 1), max_size=12)
bound = st.floats(0, 1)


@pytest.fixture
def labels(bench: Bench) -> Labels:
    return Labels(bench)


def rewarded(rewards: list[float]) -> dict[str, float]:
    return {f"q{n:02d}": reward for n, reward in enumerate(rewards)}


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(["1", "2", "3"]), st.sampled_from(["1", "1.0", "2", "3"])), max_size=15))
def test_a_perfect_reward_model_selects_exactly_the_right_weak_answers(drawn: list[tuple[str, str]]) -> None:
    gold = {f"q{n:02d}": answer for n, (answer, _) in enumerate(drawn)}
    votes = votes_of({f"q{n:02d}": answer for n, (_, answer) in enumerate(drawn)})
    right = {vote["row_id"] for vote in votes if float(vote["answer"]) == float(gold[vote["row_id"]])}
    with tempfile.TemporaryDirectory() as folder:
        labels = Labels(Bench(Path(folder)))
        scores = labels.scores(scores_of({row: float(row in right) for row in gold}))
        found = labels.select(votes, HALF, scores=scores)
        assert labels.kept(found) == right
        assert labels.discarded(found) == gold.keys() - right


@settings(max_examples=25)
@given(rewards_of_rows, bound, bound)
def test_kept_and_discarded_partition_the_questions_and_raising_min_reward_never_grows_the_kept(
    rewards: list[float], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    by_row = rewarded(rewards)
    votes = votes_of(dict.fromkeys(by_row, "1"))
    with tempfile.TemporaryDirectory() as folder:
        labels = Labels(Bench(Path(folder)))
        scores = labels.scores(scores_of({**by_row, "scan-another": 1.0}))
        results = [labels.select(votes, {"minReward": bound}, scores=scores) for bound in (low, high)]
        kept, fewer = (labels.kept(result) for result in results)
        assert labels.discarded(results[0]) == by_row.keys() - kept
    assert kept == {row for row, reward in by_row.items() if reward > low}
    assert fewer <= kept
    assert results[0].metrics["minReward"] == low


@settings(max_examples=25)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 10)), max_size=12), bound, st.integers(0, 100))
def test_both_is_what_the_reward_and_the_confidence_keep(
    drawn: list[tuple[float, int]], min_reward: float, threshold: int
) -> None:
    rewards = rewarded([reward for reward, _ in drawn])
    votes = [a_vote(row, "1", count=count, total=10) for row, (_, count) in zip(rewards, drawn, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        labels = Labels(Bench(Path(folder)))
        scores = labels.scores(scores_of(rewards))
        reward = labels.kept(labels.select(votes, {"minReward": min_reward}, scores=scores))
        confidence = labels.kept(labels.select(votes, {"threshold": threshold}))
        both = labels.kept(labels.select(votes, {"minReward": min_reward, "threshold": threshold}, scores=scores))
    assert both == reward & confidence


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from(["1", None]), max_size=12),
    st.integers(0, 15),
    st.integers(0, 2**32 - 1),
    st.randoms(use_true_random=False),
)
def test_a_draw_is_a_set_of_the_given_size_from_what_passes_whatever_the_order_of_rows(
    answers: list[str | None], size: int, seed: int, shuffled: Any
) -> None:
    votes = votes_of({f"q{n:02d}": answer for n, answer in enumerate(answers)})
    passing = {vote["row_id"] for vote in votes if vote["answer"] is not None}
    with tempfile.TemporaryDirectory() as folder:
        labels = Labels(Bench(Path(folder)))
        result = labels.select(votes, {"draw": seed}, size=labels.size(size))
        kept, discarded = labels.kept(result), labels.discarded(result)
        order = list(votes)
        shuffled.shuffle(order)
        assert labels.kept(labels.select(order, {"draw": seed}, size=labels.size(size))) == kept
    assert kept <= passing
    assert len(kept) == min(size, len(passing))
    assert kept | discarded == {vote["row_id"] for vote in votes}
    assert not kept & discarded
    assert (result.metrics["drawn"], result.metrics["drawnFrom"]) == (len(kept), len(passing))


def test_a_random_reward_model_and_a_draw_of_as_many_keep_every_row_equally_often(labels: Labels) -> None:
    rows = [f"q{number:02d}" for number in range(10)]
    votes = votes_of(dict.fromkeys(rows, "1"))
    generator = np.random.default_rng(5)
    runs, sizes = 100, 0
    judged, drawn = dict.fromkeys(rows, 0), dict.fromkeys(rows, 0)
    for seed in range(runs):
        rewards = dict(zip(rows, map(float, generator.random(len(rows))), strict=True))
        by_reward = labels.kept(labels.select(votes, HALF, scores=labels.scores(scores_of(rewards))))
        by_draw = labels.kept(labels.select(votes, {"draw": seed}, size=labels.size(len(by_reward))))
        assert len(by_draw) == len(by_reward)
        sizes += len(by_draw)
        for row in rows:
            judged[row] += row in by_reward
            drawn[row] += row in by_draw
    for times in (judged, drawn):
        expected = sizes / len(rows)
        spread = sum((count - expected) ** 2 for count in times.values()) / (expected * (1 - expected / runs))
        assert spread < 27.9, f"chi-square with 9 degrees of freedom is larger once in a thousand: {times}"


def test_a_draw_does_not_follow_the_rewards(labels: Labels) -> None:
    rows = [f"q{number:02d}" for number in range(40)]
    votes = votes_of(dict.fromkeys(rows, "1"))
    scores = labels.scores(scores_of({row: float(number < 20) for number, row in enumerate(rows)}))
    best = labels.kept(labels.select(votes, HALF, scores=scores))
    drawn = labels.kept(labels.select(votes, {"draw": 3}, size=labels.size(len(best))))
    assert len(drawn) == len(best) == 20
    assert 3 < len(drawn & best) < 17


def test_a_draw_comes_after_the_conditions(labels: Labels) -> None:
    votes = votes_of(dict.fromkeys("abcd", "1"))
    scores = labels.scores(scores_of({"a": 0.9, "b": 0.1, "c": 0.9, "d": 0.9}))
    result = labels.select(votes, {**HALF, "draw": 1}, scores=scores, size=labels.size(2))
    assert labels.kept(result) < {"a", "c", "d"}
    assert result.metrics["drawnFrom"] == 3


def test_the_bare_answer_is_learnt_where_it_is_asked_for(labels: Labels) -> None:
    result = labels.select(votes_of({"a": "4", "b": None}), {"completion": "answer"})
    (row,) = labels.bench.rows(result, "kept.parquet", "examples")
    assert (row["row_id"], row["completion"], row["answer"]) == ("a", "#### 4", "4")


def test_a_label_without_answer_cannot_be_learnt_as_a_bare_answer(labels: Labels) -> None:
    with pytest.raises(InputError, match=r"row b has no answer, but completion: answer"):
        labels.select(votes_of({"a": "4", "b": None}), {**EVERYTHING, "completion": "answer"})


def test_no_votes_keep_nothing(labels: Labels) -> None:
    result = labels.select([], {**HALF, "draw": 0}, scores=labels.scores([]), size=labels.size(3))
    assert (labels.kept(result), labels.discarded(result)) == (set(), set())


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_a_blank_label_is_discarded_however_high_its_reward(labels: Labels, text: str) -> None:
    votes = [a_vote("a", None, text=text), a_vote("b", "1")]
    scores = labels.scores(scores_of({"a": 1.0, "b": 0.6}))
    assert labels.kept(labels.select(votes, {**HALF, **EVERYTHING}, scores=scores)) == {"b"}


def test_scores_that_lack_a_row_are_refused_with_the_row_and_the_way_out(labels: Labels) -> None:
    with pytest.raises(InputError, match=r"lack 1 of 2 voted rows, such as b; .*w2s invalidate score/"):
        labels.select(votes_of({"a": "1", "b": "1"}), HALF, scores=labels.scores(scores_of({"a": 1.0})))


def test_a_row_that_is_scored_twice_is_refused(labels: Labels) -> None:
    scores = labels.scores(scores_of({"a": 1.0}) * 2)
    with pytest.raises(InputError, match="scores hold row a twice"):
        labels.select(votes_of({"a": "1"}), HALF, scores=scores)


@pytest.mark.parametrize("reward", [math.nan, math.inf, -math.inf, -0.1, 1.1, None])
def test_a_reward_that_is_no_probability_is_refused_with_its_row(labels: Labels, reward: float | None) -> None:
    scores = labels.scores(scores_of({"a": 0.7, "b": reward}))
    with pytest.raises(InputError, match=f"the reward of row b is {reward}; expected a number from 0 to 1"):
        labels.select(votes_of({"a": "1", "b": "1"}), HALF, scores=scores)


def test_a_bound_without_scores_and_a_draw_without_size_are_refused(labels: Labels) -> None:
    votes = votes_of({"a": "1"})
    with pytest.raises(InputError, match="role 'scores' needs exactly one input"):
        labels.select(votes, HALF)
    with pytest.raises(InputError, match="role 'size' needs exactly one input"):
        labels.select(votes, {"draw": 1})


def test_an_input_that_no_condition_reads_is_refused(labels: Labels) -> None:
    votes = votes_of({"a": "1"})
    with pytest.raises(InputError, match="input 'scores' is given, but minReward is null"):
        labels.select(votes, {}, scores=labels.scores(scores_of({"a": 1.0})))
    with pytest.raises(InputError, match="input 'size' is given, but draw is null"):
        labels.select(votes, {}, size=labels.size(1))
