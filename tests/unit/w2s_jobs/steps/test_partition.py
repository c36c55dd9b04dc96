from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.labels import GSM8K, Labels, Rows, a_vote, votes_of
from tests.support.steps import Bench
from w2s_jobs.contracts.errors import InputError


def partitioned(bench: Bench, weak: Rows, strong: Rows, rows: list[str] | None = None) -> tuple[Rows, Rows, Any]:
    """Return pairs, partition and metrics."""
    labels = Labels(bench)
    asked = labels.questions([vote["row_id"] for vote in weak] if rows is None else rows)
    inputs = {"weak": [labels.votes(weak)], "strong": [labels.votes(strong)], "questions": [asked]}
    result = bench.run("partition", GSM8K, inputs)
    pairs, parts = (bench.rows(result, f"{name}.parquet", name) for name in ("pairs", "partition"))
    return pairs, parts, result.metrics


def test_where_the_models_agree_the_weak_label_is_positive_else_the_strong_one_negative(bench: Bench) -> None:
    weak = votes_of({"a": "4", "b": "5", "c": None, "d": "7", "e": None})
    strong = votes_of({"a": "4.0", "b": "6", "c": "1", "d": None, "e": None})
    pairs, parts, metrics = partitioned(bench, weak, strong)
    assert [tuple(pair.values()) for pair in pairs] == [
        ("a", "a?", "so #### 4", True),
        ("b", "b?", "so #### 6", False),
        ("c", "c?", "so #### 1", False),
        ("d", "d?", "I do not know", False),
        ("e", "e?", "I do not know", False),
    ]
    assert [row["consistent"] for row in parts] == [True, False, False, False, False]
    assert [(row["weak_answer"], row["strong_answer"]) for row in parts][:3] == [("4", "4.0"), ("5", "6"), (None, "1")]
    assert metrics == {
        "rows": 5,
        "consistent": 1,
        "weakInconsistent": 2,
        "strongInconsistent": 2,
        "bothInvalid": 1,
        "positives": 1,
        "negatives": 4,
        "blank": 0,
    }


label = st.tuples(st.none() | st.sampled_from(["4", "4.0", "5", "6"]), st.sampled_from([None, "", " \n\t"]))


@settings(max_examples=40)
@given(st.lists(st.tuples(label, label), max_size=10))
def test_a_row_is_consistent_or_not_and_gives_the_pair_of_its_part(drawn: list[Any]) -> None:
    weak = [a_vote(f"q{n}", *one) for n, (one, _) in enumerate(drawn)]
    strong = [a_vote(f"q{n}", *other) for n, (_, other) in enumerate(drawn)]
    with tempfile.TemporaryDirectory() as folder:
        pairs, parts, metrics = partitioned(Bench(Path(folder)), weak, strong)
        again = partitioned(Bench(Path(folder) / "again"), weak[::-1], strong[1:] + strong[:1])
    assert again == (pairs, parts, metrics), "the order of rows changes nothing"
    assert [row["row_id"] for row in parts] == sorted(vote["row_id"] for vote in weak)
    weak_text, strong_text = ({vote["row_id"]: vote["text"] for vote in votes} for votes in (weak, strong))
    consistent = {row["row_id"] for row in parts if row["consistent"]}
    apart = {row["row_id"] for row in parts} - consistent
    positives = {pair["row_id"]: pair["completion"] for pair in pairs if pair["positive"]}
    negatives = {pair["row_id"]: pair["completion"] for pair in pairs if not pair["positive"]}
    assert positives == {row: weak_text[row] for row in consistent if weak_text[row].strip()}
    assert negatives == {row: strong_text[row] for row in apart if strong_text[row].strip()}
    assert metrics["consistent"] + len(apart) == metrics["rows"]
    assert metrics["positives"] + metrics["negatives"] + metrics["blank"] == metrics["rows"]


def test_swapping_the_models_keeps_what_is_consistent(bench: Bench) -> None:
    one, other = votes_of({"a": "4", "b": "5", "c": None}), votes_of({"a": "4", "b": "6", "c": "2"})
    forth, back = (partitioned(bench, *pair)[1] for pair in ((one, other), (other, one)))
    assert [row["consistent"] for row in forth] == [row["consistent"] for row in back] == [True, False, False]


@pytest.mark.parametrize(
    ("weak", "strong", "rows", "message"),
    [
        ("ab", "a", "ab", "the strong votes lack 1 of 2, such as b"),
        ("a", "ab", "ab", "the weak votes lack 1 of 2, such as b"),
        ("ab", "ab", "a", "the questions lack 1 of 2, such as b"),
        ("ab", "ab", "abz", "the weak votes lack 1 of 3, such as z"),
        ("", "", "a", "the weak votes lack 1 of 1, such as a"),
    ],
)
def test_votes_about_other_rows_are_refused_with_the_row(
    bench: Bench, weak: str, strong: str, rows: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        partitioned(bench, votes_of(dict.fromkeys(weak, "1")), votes_of(dict.fromkeys(strong, "1")), list(rows))


def test_a_vote_that_is_there_twice_is_refused(bench: Bench) -> None:
    with pytest.raises(InputError, match="votes hold row a twice"):
        partitioned(bench, votes_of({"a": "1"}) * 2, votes_of({"a": "1"}), ["a"])


def test_no_votes_at_all_are_a_partition_of_nothing(bench: Bench) -> None:
    pairs, parts, metrics = partitioned(bench, [], [])
    assert (pairs, parts) == ([], [])
    assert set(metrics.values()) == {0}
