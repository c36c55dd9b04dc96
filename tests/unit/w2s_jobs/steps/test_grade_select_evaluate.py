from __future__ import annotations

import json
import os
import random
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.steps import Bench
from w2s_jobs.context import StepContext
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.errors import ExitCode, InputError, JobError, Stopped
from w2s_jobs.contracts.step_params import GradeParams
from w2s_jobs.steps import grade
from w2s_jobs.store.rows import read_rows

GSM8K = {"task": {"family": "gsm8k"}}


def samples_of(texts: dict[str, list[str]]) -> list[dict[str, Any]]:
    return [
        {"row_id": row, "sample": number, "text": text, "finish_reason": "stop", "tokens": 3}
        for row, answers in texts.items()
        for number, text in enumerate(answers)
    ]


def questions_of(rows: list[str]) -> list[dict[str, Any]]:
    return [{"row_id": row, "question": f"{row}?", "level": None, "topic": None} for row in rows]


TEXTS = {
    "a": ["2+2=4 #### 4", "2*2=4 #### 4.0", "#### 5"],
    "b": ["no", "none", "I do not know"],
    "c": ["#### 1", "x = 2 so #### 2", "#### 3"],
}


@pytest.fixture
def graded(bench: Bench) -> Input:
    result = bench.run(
        "grade", GSM8K, {"samples": [bench.artifact("sample", "samples/", "samples", samples_of(TEXTS))]}
    )
    return Input(kind="grade", key=result.key, file="votes.parquet")


def votes(bench: Bench, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    result = bench.run("grade", GSM8K, {"samples": [bench.artifact("sample", "samples/", "samples", rows)]})
    return bench.rows(result, "votes.parquet", "votes")


def test_votes_count_equal_answers_and_keep_the_first_text_of_the_winner(bench: Bench) -> None:
    a, b, c = votes(bench, samples_of(TEXTS))
    assert (a["answer"], a["count"], a["valid"], a["total"], a["text"]) == ("4", 2, 3, 3, "2+2=4 #### 4")
    assert (b["answer"], b["count"], b["sample"], b["text"]) == (None, 0, -1, "no")
    assert (c["answer"], c["count"], c["chain_of_thought"]) == ("1", 1, False)


def test_votes_do_not_depend_on_row_order(bench: Bench, seed: int) -> None:
    rows = samples_of(TEXTS)
    before = votes(bench, rows)
    random.Random(seed).shuffle(rows)
    assert votes(bench, rows) == before


def test_a_sample_that_is_there_twice_is_refused(bench: Bench) -> None:
    with pytest.raises(InputError, match="sample 0 of row a twice"):
        votes(bench, samples_of({"a": ["#### 1"]}) * 2)


def is_killed(*_: Any) -> None:
    """What a grading process does that runs out of memory, or that a signal to its group ends."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def grading_by_processes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> StepContext:
    """A grade step that hands its questions to processes, of which each is killed at its first one."""
    monkeypatch.setattr(grade, "_FEW", 1)
    monkeypatch.setattr(grade, "grade_question", is_killed)
    samples = bench.artifact("sample", "samples/", "samples", samples_of(TEXTS))
    spec = bench.spec("grade", GSM8K, {"samples": [samples]}, threads=2)
    Path(spec.execution.work_dir).mkdir(parents=True)
    return StepContext(spec, bench.store, threading.Event())


def test_a_grading_process_that_is_killed_fails_the_step_instead_of_hanging_it(
    grading_by_processes: StepContext,
) -> None:
    with pytest.raises(JobError, match="a grading process was killed") as failed:
        grade.run(grading_by_processes, GradeParams.model_validate(GSM8K))
    assert failed.value.exit_code == ExitCode.CRASHED


def test_a_stop_that_ends_the_grading_processes_too_is_a_stop(grading_by_processes: StepContext) -> None:
    grading_by_processes._stop.set()
    with pytest.raises(Stopped):
        grade.run(grading_by_processes, GradeParams.model_validate(GSM8K))


def test_processes_grade_as_one_does(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = votes(bench, samples_of(TEXTS))
    monkeypatch.setattr(grade, "_FEW", 1)
    samples = bench.artifact("sample", "samples/", "samples", samples_of(TEXTS))
    outcome = grade.run(
        bench.context(bench.spec("grade", GSM8K, {"samples": [samples]}, threads=2)), GradeParams.model_validate(GSM8K)
    )
    assert read_rows(outcome.files["votes.parquet"], "votes") == alone


def selected(bench: Bench, graded: Input, **rules: Any) -> tuple[list[str], list[str]]:
    questions = bench.artifact("prepare", "questions.parquet", "questions", questions_of(list(TEXTS)))
    result = bench.run("select", {**GSM8K, **rules}, {"votes": [graded], "questions": [questions]})
    kept = bench.rows(result, "kept.parquet", "examples")
    discarded = bench.rows(result, "discarded.parquet", "questions")
    return [row["row_id"] for row in kept], [row["row_id"] for row in discarded]


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ({"threshold": 60}, ["a"]),
        ({"threshold": 30}, ["a", "c"]),
        ({"threshold": 30, "requireChainOfThought": True}, ["a"]),
        ({"threshold": 100}, []),
        ({"threshold": None}, ["a", "c"]),
        ({"threshold": None, "requireValid": False}, ["a", "b", "c"]),
    ],
)
def test_kept_and_discarded_partition_the_questions(
    bench: Bench, graded: Input, rules: dict[str, Any], kept: list[str]
) -> None:
    found, discarded = selected(bench, graded, **rules)
    assert found == kept
    assert sorted(found + discarded) == sorted(TEXTS)


def test_votes_about_other_questions_are_refused(bench: Bench, graded: Input) -> None:
    questions = bench.artifact("prepare", "questions.parquet", "questions", questions_of(["a", "z"]))
    with pytest.raises(InputError, match="votes and questions are not about the same rows"):
        bench.run("select", {**GSM8K, "threshold": 50}, {"votes": [graded], "questions": [questions]})


def evaluated(bench: Bench, texts: dict[str, list[str]], gold: dict[str, str]) -> Any:
    rows = [{**row, "level": number + 1} for number, row in enumerate(questions_of(list(gold)))]
    examples = [
        {"row_id": row, "question": f"{row}?", "completion": answer, "answer": answer} for row, answer in gold.items()
    ]
    inputs = {
        "samples": [bench.artifact("sample", "samples/", "samples", samples_of(texts))],
        "gold": [bench.artifact("prepare", "examples.parquet", "examples", examples)],
        "questions": [bench.artifact("prepare", "questions.parquet", "questions", rows)],
    }
    return bench.run("evaluate", GSM8K, inputs)


def test_accuracy_is_the_share_of_equal_answers(bench: Bench) -> None:
    result = evaluated(bench, {"a": ["#### 4.0"], "b": ["none"], "c": ["#### 9"]}, {"a": "4", "b": "5", "c": "6"})
    path = bench.store.fetch(Input(kind="evaluate", key=result.key, file="accuracy.json"), bench.folder)
    accuracy = json.loads(path.read_text())
    assert accuracy["accuracy"] == pytest.approx(1 / 3)
    assert (accuracy["n"], accuracy["correct"], accuracy["invalid"]) == (3, 1, 1)
    assert accuracy["byLevel"]["1"] == {"n": 1, "accuracy": 1.0}
    assert accuracy["interval"][0] <= 1 / 3 <= accuracy["interval"][1]


def test_an_evaluation_with_missing_samples_is_refused(bench: Bench) -> None:
    with pytest.raises(InputError, match=r"samples \(1\), questions \(2\) and gold \(2\)"):
        evaluated(bench, {"a": ["#### 4"]}, {"a": "4", "b": "5"})
