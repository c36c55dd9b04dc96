"""One sampling may be of many capabilities: each is graded and evaluated by its own rows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.labels import GSM8K, Rows, gold_of, questions_of
from tests.support.steps import Bench
from w2s_jobs.contracts.artifact import Input, StepResult
from w2s_jobs.contracts.errors import InputError


def samples_of(texts: dict[str, list[str]]) -> Rows:
    return [
        {"row_id": row, "sample": number, "text": text, "finish_reason": "stop", "tokens": 3}
        for row, answers in texts.items()
        for number, text in enumerate(answers)
    ]


OWN = {"gsm8k-a": ["#### 4", "#### 5", "#### 4"], "gsm8k-b": ["no", "#### 2", "#### 2"]}
OTHERS = {"scan-a": ["I_JUMP", "I_WALK", "I_JUMP"], "creak-a": ["true", "true", "#### 4"]}


def graded(bench: Bench, texts: dict[str, list[str]], asked: list[str] | None) -> dict[str, Rows]:
    inputs: dict[str, list[Input]] = {"samples": [bench.artifact("sample", "samples/", "samples", samples_of(texts))]}
    if asked is not None:
        inputs["questions"] = [bench.artifact("prepare", "questions.parquet", "questions", questions_of(asked))]
    result = bench.run("grade", GSM8K, inputs)
    return {name: bench.rows(result, f"{name}.parquet", name) for name in ("answers", "votes")}


def test_only_the_questions_that_are_named_are_graded_and_as_if_alone(bench: Bench) -> None:
    together = graded(bench, OTHERS | OWN, list(OWN))
    assert together == graded(bench, OWN, None)
    assert {row["row_id"] for row in together["votes"]} == set(OWN)


def test_without_questions_every_sample_is_graded(bench: Bench) -> None:
    assert {row["row_id"] for row in graded(bench, OTHERS | OWN, None)["votes"]} == set(OWN) | set(OTHERS)


def test_no_questions_are_graded_as_none_not_as_all(bench: Bench) -> None:
    assert graded(bench, OWN, []) == {"answers": [], "votes": []}


def test_a_question_without_samples_is_refused_with_its_name(bench: Bench) -> None:
    with pytest.raises(InputError, match=r"samples lack 1 of 3 questions, such as gsm8k-z"):
        graded(bench, OTHERS | OWN, [*OWN, "gsm8k-z"])


def evaluated(bench: Bench, texts: dict[str, list[str]], gold: dict[str, str], asked: list[str]) -> StepResult:
    inputs = {
        "samples": [bench.artifact("sample", "samples/", "samples", samples_of(texts))],
        "gold": [bench.artifact("prepare", "examples.parquet", "examples", gold_of(gold))],
        "questions": [bench.artifact("prepare", "questions.parquet", "questions", questions_of(asked))],
    }
    return bench.run("evaluate", GSM8K, inputs)


def accuracy_of(bench: Bench, result: StepResult) -> Any:
    path = bench.store.fetch(Input(kind="evaluate", key=result.key, file="accuracy.json"), bench.folder)
    return json.loads(path.read_text())


GREEDY = {"gsm8k-a": ["#### 4"], "gsm8k-b": ["#### 9"]}
GOLD = {"gsm8k-a": "4", "gsm8k-b": "2"}


def test_samples_of_other_capabilities_change_no_accuracy(bench: Bench) -> None:
    alone = evaluated(bench, GREEDY, GOLD, list(GOLD))
    many = evaluated(bench, {"a-first": ["#### 4"], **GREEDY, **OTHERS}, GOLD, list(GOLD))
    assert accuracy_of(bench, many) == accuracy_of(bench, alone)
    assert many.metrics["n"] == 2
    assert bench.rows(many, "scored.parquet", "scored") == bench.rows(alone, "scored.parquet", "scored")


@pytest.mark.parametrize(
    ("texts", "gold", "asked", "odd"),
    [
        ({"gsm8k-a": ["#### 4"]}, GOLD, list(GOLD), "gsm8k-b"),
        (GREEDY, {"gsm8k-a": "4"}, list(GOLD), "gsm8k-b"),
        (GREEDY, GOLD, ["gsm8k-b"], "gsm8k-a"),
        ({}, GOLD, list(GOLD), "gsm8k-a"),
    ],
)
def test_a_row_that_samples_gold_or_questions_lack_is_named(
    bench: Bench, texts: dict[str, list[str]], gold: dict[str, str], asked: list[str], odd: str
) -> None:
    with pytest.raises(InputError, match=f"not about the same rows, such as {odd}; expected one greedy sample"):
        evaluated(bench, OTHERS | texts, gold, asked)


def test_two_samples_of_a_test_question_are_refused(bench: Bench) -> None:
    with pytest.raises(InputError, match="samples hold row gsm8k-a twice"):
        evaluated(bench, GREEDY | {"gsm8k-a": ["#### 4", "#### 5"]}, GOLD, list(GOLD))
