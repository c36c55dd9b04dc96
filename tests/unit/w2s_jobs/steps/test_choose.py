"""The step that chooses a threshold, and the selection that follows it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.support.steps import Bench
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.choices import ChosenThreshold
from w2s_jobs.contracts.errors import InputError

GSM8K = {"task": {"family": "gsm8k"}}


def votes_of(counts: dict[str, int], answer: str | None = "4", reasoned: bool = True) -> list[dict[str, Any]]:
    return [
        {
            "row_id": row,
            "answer": answer,
            "count": count,
            "valid": count,
            "total": 10,
            "sample": 0,
            "text": "2 + 2 = 4 #### 4",
            "chain_of_thought": reasoned,
        }
        for row, count in sorted(counts.items())
    ]


def an_input(bench: Bench, rows: list[dict[str, Any]], name: str = "votes.parquet", schema: str = "votes") -> Input:
    return bench.artifact("grade", name, schema, rows)


def gold_of(bench: Bench, answers: dict[str, str]) -> Input:
    rows = [{"row_id": row, "question": "?", "completion": gold, "answer": gold} for row, gold in answers.items()]
    return an_input(bench, rows, "examples.parquet", "examples")


def questions_of(bench: Bench, rows: list[str]) -> Input:
    listed = [{"row_id": row, "question": f"{row}?", "level": None, "topic": None} for row in rows]
    return an_input(bench, listed, "questions.parquet", "questions")


def chosen(bench: Bench, inputs: dict[str, list[Input]], **params: Any) -> ChosenThreshold:
    result = bench.run("choose", {**GSM8K, "rule": "calibrated", **params}, inputs)
    path = bench.store.fetch(Input(kind="choose", key=result.key, file="threshold.json"), bench.folder / "chosen")
    return ChosenThreshold.model_validate_json(path.read_bytes())


UNLABELLED = {f"u{n}": 3 + n % 8 for n in range(80)}
CALIBRATION = {f"c{n}": 3 + n % 8 for n in range(160)}


def calibrated(bench: Bench, **changes: Any) -> ChosenThreshold:
    """Labels with 7 of 10 votes and more are right, the others wrong."""
    gold = {row: "4.0" if count >= 7 else "5" for row, count in CALIBRATION.items()}
    inputs = {
        "votes": [an_input(bench, votes_of(UNLABELLED))],
        "calibration": [an_input(bench, votes_of(CALIBRATION))],
        "gold": [gold_of(bench, gold)],
        **changes.pop("inputs", {}),
    }
    return chosen(bench, inputs, **changes)


def test_calibrated_finds_the_confidence_from_which_labels_are_right(bench: Bench) -> None:
    found = calibrated(bench)
    assert found.threshold == 70
    assert (found.questions, found.calibration_questions, found.notes) == (80, 160, ())
    assert [one.threshold for one in found.candidates] == [30, 40, 50, 60, 70, 80, 90, 100]
    estimated = {one.threshold: one.estimated_correctness for one in found.candidates}
    assert estimated[30] == pytest.approx(0.5, abs=0.03)
    assert estimated[70] == pytest.approx(1, abs=0.03)


def test_a_rule_keeps_to_the_thresholds_of_the_sweep(bench: Bench) -> None:
    found = calibrated(bench, candidates=[50, 80])
    assert [one.threshold for one in found.candidates] == [50, 80]
    assert found.threshold == 80


def test_calibration_looks_at_questions_that_the_rounds_before_would_have_discarded_too(bench: Bench) -> None:
    discarded = [row for row, count in CALIBRATION.items() if count < 9]
    others = [row for row in CALIBRATION if row != "c0"]
    both = [questions_of(bench, discarded), questions_of(bench, others)]
    found = calibrated(bench, inputs={"discarded": both})
    assert found.calibration_questions == len(set(discarded) & set(others))


def test_too_few_such_questions_are_said_and_all_are_read(bench: Bench) -> None:
    found = calibrated(bench, inputs={"discarded": [questions_of(bench, ["c0", "c1"])]})
    assert found.calibration_questions == 160
    assert "Only 2 of 160 calibration questions are as uncertain" in found.notes[0]


def test_a_curve_from_few_questions_is_said_to_be_rough(bench: Bench) -> None:
    few = dict(list(CALIBRATION.items())[:20])
    found = calibrated(bench, inputs={"calibration": [an_input(bench, votes_of(few))]})
    assert found.notes == ("Only 20 calibration questions: the curve is rough.",)


def test_calibration_without_any_answer_is_refused(bench: Bench) -> None:
    empty = an_input(bench, votes_of(CALIBRATION, answer=None))
    with pytest.raises(InputError, match="no calibration question has a vote with a valid answer"):
        calibrated(bench, inputs={"calibration": [empty]})


def test_agreement_reads_nothing_but_the_votes(bench: Bench) -> None:
    certain = {f"a{n}": 10 - n % 2 for n in range(60)}
    guessed = {f"b{n}": 2 + n % 3 for n in range(60)}
    found = chosen(bench, {"votes": [an_input(bench, votes_of({**certain, **guessed}))]}, rule="agreement")
    assert found.threshold == 90
    assert found.calibration_questions is None
    assert found.notes[0].startswith("50 % of the questions look known")


def test_a_rule_counts_only_labels_that_a_later_round_would_keep(bench: Bench) -> None:
    bare = an_input(bench, votes_of({"z": 10}, reasoned=False) + votes_of({"y": 5}))
    found = chosen(bench, {"votes": [bare]}, rule="agreement", requireChainOfThought=True)
    assert [one.threshold for one in found.candidates] == [50]


def test_where_nothing_can_be_kept_the_strictest_threshold_is_chosen_and_the_reason_said(bench: Bench) -> None:
    found = chosen(bench, {"votes": [an_input(bench, votes_of({"z": 0}, answer=None))]}, rule="agreement")
    assert (found.threshold, found.notes) == (100, ("No vote could be kept at any threshold.",))


def test_the_choice_does_not_depend_on_row_order(bench: Bench, seed: int) -> None:
    rows = votes_of(UNLABELLED)
    before = chosen(bench, {"votes": [an_input(bench, rows)]}, rule="agreement")
    random.Random(seed).shuffle(rows)
    assert chosen(bench, {"votes": [an_input(bench, rows)]}, rule="agreement") == before


def test_a_selection_takes_the_threshold_that_was_chosen(bench: Bench) -> None:
    votes = an_input(bench, votes_of(UNLABELLED))
    result = bench.run("choose", {**GSM8K, "rule": "agreement", "candidates": [80]}, {"votes": [votes]})
    threshold = Input(kind="choose", key=result.key, file="threshold.json")
    inputs = {"votes": [votes], "questions": [questions_of(bench, list(UNLABELLED))], "threshold": [threshold]}
    select = bench.run("select", {**GSM8K, "threshold": None}, inputs)
    assert select.metrics == {"kept": sum(c >= 8 for c in UNLABELLED.values()), "discarded": 50, "threshold": 80}
