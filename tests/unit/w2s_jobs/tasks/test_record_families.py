"""The families that are read: what a record becomes, and what is said of one that is malformed."""

from __future__ import annotations

from typing import Any

import pytest

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.families import FAMILIES
from w2s_jobs.contracts.settings import TaskSettings
from w2s_jobs.tasks.family import BadRecordError, GivesPartialCredit, JoinsRecords, TaskFamily
from w2s_jobs.tasks.registry import get_family


def the(name: str) -> TaskFamily:
    return get_family(TaskSettings(family=name))


def choices(*texts: str) -> list[dict[str, str]]:
    return [{"label": letter, "text": text} for letter, text in zip("ABCDE", texts, strict=False)]


CSQA = {"question": {"stem": "Who?", "choices": choices("a", "b", "c", "d", "e")}, "answerKey": "D", "id": "1"}
OBQA = {"question": {"stem": "What?", "choices": choices("a", "b", "c", "d")}, "answerKey": "A", "fact1": "hidden"}
CREAK = {"sentence": "Soup is solid.", "explanation": "Soup is mainly a liquid thing.", "label": "false"}
ESNLI = {"premise": "A.", "hypothesis": "B.", "label": "neutral", "explanations": [{"text_explanation": "Who knows."}]}
ESNLI_RAW = {"sentence1": "A.", "sentence2": "B.", "gold_label": "neutral", "explanation_1": "Who knows."}
ECQA = {f"q_op{n}": f"option {n}" for n in range(1, 6)} | {"q_text": "Q?", "q_ans": "option 2", "taskB": "Because."}
SCIQ = {"question": "Q?", "correct_answer": "x", "distractors": ["u", "v", "w"], "support": "It is x."}
SCIQ_TEXT = {
    "instruction": "Please choose the correct answer to the question: Q?\n\nAnswer1: u\nAnswer2: x\nAnswer3: v\n"
    "Answer4: w\n\nAnswer format: answer1/answer2/answer3/answer4",
    "answer": "answer2",
}
MCTACO = {
    "lines": [
        {"sentence": "S.", "question": "When?", "candidate": text, "label": label, "category": "Event Duration"}
        for text, label in (("today", "yes"), ("never", "no"), ("soon", "yes"))
    ]
}

GOOD = [
    ("commonsenseqa", CSQA, "D", "Who?\n(A) a\n(B) b"),
    ("openbookqa", OBQA, "A", "What?\n(A) a\n(B) b"),
    ("creak", CREAK, "false", "Claim: Soup is solid."),
    ("esnli", ESNLI, "neutral", "Premise: A.\nHypothesis: B."),
    ("esnli", ESNLI_RAW, "neutral", "Premise: A.\nHypothesis: B."),
    ("ecqa", ECQA, "B", "Q?\n(A) option 1"),
    ("sciq", SCIQ_TEXT, "B", "Q?\n(A) u\n(B) x\n(C) v\n(D) w"),
    ("mctaco", MCTACO, "A, C", "S.\nWhen?\n(A) today\n(B) never\n(C) soon"),
]


@pytest.mark.parametrize(("name", "record", "answer", "question"), GOOD)
def test_a_record_becomes_a_question_with_its_gold(name: str, record: Any, answer: str, question: str) -> None:
    row = the(name).parse(record)
    assert row.answer == answer
    assert row.question.startswith(question)
    assert "hidden" not in row.question
    assert the(name).extract(row.completion) == answer
    assert the(name).equal(row.answer, answer)


@pytest.mark.parametrize(
    ("name", "record", "message"),
    [
        ("commonsenseqa", {**CSQA, "answerKey": "F"}, "answerKey: expected one of A, B, C, D, E; got 'F'"),
        ("commonsenseqa", {**CSQA, "question": "Who?"}, "question: expected an object with stem and choices; got 'Who"),
        ("openbookqa", CSQA, "question.choices: expected the labels A, B, C, D in order; got"),
        ("creak", {**CREAK, "label": True}, "label: expected the text 'true' or 'false'; got True"),
        ("creak", {**CREAK, "explanation": " "}, "explanation: expected a text; got ' '"),
        ("esnli", {**ESNLI, "label": "-"}, "label: expected one of entailment, neutral, contradiction; got '-'"),
        ("esnli", {**ESNLI, "explanations": []}, "explanations: expected a list with one object or more"),
        ("ecqa", {**ECQA, "q_op1": "option 2"}, "q_ans: expected the text of exactly one option; got 'option 2'"),
        ("ecqa", {**ECQA, "q_ans": "other"}, "q_ans: expected the text of exactly one option; got 'other'"),
        ("sciq", {**SCIQ, "distractors": ["u"]}, "distractors: expected 3 texts; got ['u']"),
        ("sciq", {**SCIQ, "distractors": ["u", "v", "x"]}, "distractors: expected none that is the right answer 'x'"),
        ("sciq", {**SCIQ_TEXT, "instruction": "Q?"}, "instruction: expected a question and Answer1 to Answer4"),
        ("sciq", {**SCIQ_TEXT, "answer": "answer9"}, "answer: expected answer1 to answer4; got 'answer9'"),
        (
            "mctaco",
            {"cells": ["one"]},
            "expected 5 cells (sentence, question, candidate, label, category); got ['one']",
        ),
        ("mctaco", {"lines": [{**MCTACO["lines"][0], "label": "?"}]}, "label: expected 'yes' or 'no'; got '?'"),
    ],
)
def test_a_malformed_record_names_field_value_and_what_was_expected(name: str, record: Any, message: str) -> None:
    with pytest.raises(BadRecordError) as caught:
        the(name).parse(record)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_of_the_table_has_its_file(name: str) -> None:
    family = the(name)
    assert family.name == name
    assert not set(family.train_files) & set(family.test_files)


@pytest.mark.parametrize("name", sorted(set(FAMILIES) - {"scan"}))
def test_only_scan_is_generated(name: str) -> None:
    with pytest.raises(InputError, match="has no grammar; name a path, s3 or hub source"):
        the(name).generate()


def test_the_order_of_sciq_options_is_drawn_once_and_hides_the_right_one() -> None:
    rows = [the("sciq").parse({**SCIQ, "question": f"Q{n}?"}) for n in range(200)]
    again = [the("sciq").parse({**SCIQ, "question": f"Q{n}?", "distractors": ["w", "u", "v"]}) for n in range(200)]
    assert rows == again
    assert {row.answer for row in rows} == set("ABCD")


def test_lines_of_one_mc_taco_question_are_joined_wherever_they_stand() -> None:
    family = the("mctaco")
    assert isinstance(family, JoinsRecords)
    lines: list[tuple[int, Any]] = [
        (1, {"cells": ["S.", "When?", "today", "yes", "Frequency"]}),
        (2, {"cells": ["T.", "When?", "today", "no", "Frequency"]}),
        (3, {"cells": ["broken"]}),
        (4, {"cells": ["S.", "When?", "soon", "yes", "Frequency"]}),
    ]
    joined = dict(family.join(lines))
    assert sorted(joined) == [1, 2, 3]
    assert family.parse(joined[1]).answer == "A, B"
    assert family.parse(joined[1]).topic == "Frequency"
    assert family.parse(joined[2]).answer == "none"
    with pytest.raises(BadRecordError):
        family.parse(joined[3])


def test_only_mc_taco_gives_partial_credit() -> None:
    mctaco, creak = the("mctaco"), the("creak")
    assert isinstance(mctaco, GivesPartialCredit)
    assert isinstance(creak, GivesPartialCredit)
    assert mctaco.credit("A", "A, B") == pytest.approx(2 / 3)
    assert creak.credit("true", "false") is None


def test_answers_without_reasoning_count_as_such_only_where_the_data_explains() -> None:
    assert not the("creak").is_chain_of_thought("The answer is true.")
    assert the("creak").is_chain_of_thought("Soup is a liquid that people eat.\nThe answer is true.")
    assert the("openbookqa").is_chain_of_thought("The answer is (A).")
    assert not the("openbookqa").is_chain_of_thought("I do not know.")
