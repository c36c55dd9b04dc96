from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.labels import GSM8K, Labels, Rows, a_vote, votes_of
from tests.support.steps import Bench
from w2s_jobs.contracts.artifact import StepResult
from w2s_jobs.contracts.errors import InputError


def cleaned(bench: Bench, votes: Rows, gold: dict[str, str], **params: Any) -> StepResult:
    labels = Labels(bench)
    asked = labels.questions([vote["row_id"] for vote in votes])
    inputs = {"votes": [labels.votes(votes)], "questions": [asked], "gold": [labels.gold(gold)]}
    return bench.run("clean", {**GSM8K, **params}, inputs)


def rows_of(bench: Bench, result: StepResult) -> list[str]:
    return [row["row_id"] for row in bench.rows(result, "kept.parquet", "examples")]


VOTES = [*votes_of({"a": "4.0", "b": "9", "c": None, "d": "7"}), a_vote("e", None, text=" ")]
GOLD = {"a": "4", "b": "5", "c": "6", "d": "7", "e": "8", "z": "0"}


def test_without_noise_every_kept_label_is_right_by_gold(bench: Bench) -> None:
    result = cleaned(bench, VOTES, GOLD)
    assert rows_of(bench, result) == ["a", "d"]
    assert result.metrics == {"kept": 2, "right": 2, "wrong": 0, "noise": 0, "offered": 5}


def test_full_noise_is_every_label_that_has_a_text(bench: Bench) -> None:
    result = cleaned(bench, VOTES, GOLD, noise=100)
    kept = bench.rows(result, "kept.parquet", "examples")
    assert [(row["row_id"], row["completion"]) for row in kept] == [
        ("a", "so #### 4.0"),
        ("b", "so #### 9"),
        ("c", "I do not know"),
        ("d", "so #### 7"),
    ]
    assert result.metrics == {"kept": 4, "right": 2, "wrong": 2, "noise": 100, "offered": 5}


def test_the_bare_answer_is_learnt_where_it_is_asked_for(bench: Bench) -> None:
    kept = bench.rows(cleaned(bench, VOTES, GOLD, completion="answer"), "kept.parquet", "examples")
    assert [row["completion"] for row in kept] == ["#### 4.0", "#### 7"]


def test_different_seeds_draw_different_noise(bench: Bench) -> None:
    rows = [f"q{number:02d}" for number in range(40)]
    votes, gold = votes_of(dict.fromkeys(rows, "1")), dict.fromkeys(rows, "2")
    one, other, again = (rows_of(bench, cleaned(bench, votes, gold, noise=50, seed=seed)) for seed in (1, 2, 1))
    assert len(one) == len(other) == 20
    assert one == again != other


@settings(max_examples=25)
@given(
    st.lists(st.none() | st.sampled_from(["1", "1.0", "2", "3"]), max_size=12),
    st.integers(0, 100),
    st.integers(0, 100),
    st.integers(0, 2**32 - 1),
)
def test_noise_nests_and_what_it_adds_is_wrong(answers: list[str | None], one: int, other: int, seed: int) -> None:
    low, high = sorted((one, other))
    votes = votes_of({f"q{n}": answer for n, answer in enumerate(answers)})
    gold = {vote["row_id"]: "1" for vote in votes}
    right = {vote["row_id"] for vote in votes if vote["answer"] in ("1", "1.0")}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        pure, less, more, all_ = (
            set(rows_of(bench, cleaned(bench, votes, gold, noise=noise, seed=seed))) for noise in (0, low, high, 100)
        )
        shuffled = set(rows_of(bench, cleaned(bench, votes[::-1], gold, noise=high, seed=seed)))
    assert pure == right <= less <= more <= all_ == {vote["row_id"] for vote in votes}
    assert shuffled == more


def test_gold_that_lacks_a_row_is_refused(bench: Bench) -> None:
    with pytest.raises(InputError, match=r"gold lacks 1 of 2 voted rows, such as b"):
        cleaned(bench, votes_of({"a": "1", "b": "2"}), {"a": "1"})


def test_no_votes_leave_nothing(bench: Bench) -> None:
    assert cleaned(bench, [], {}, noise=50).metrics == {"kept": 0, "right": 0, "wrong": 0, "noise": 50, "offered": 0}
