"""Final answers in free text: letters, sets of letters, classes, strings, sequences."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_jobs.core.answers.domain import AnswerDomain
from w2s_jobs.core.answers.labels import Label, LabelSet, set_f1
from w2s_jobs.core.answers.sequences import SymbolSequence
from w2s_jobs.core.answers.words import ClassName, ShortString

TRUTH = ClassName({"true": ("yes", "correct", "not false"), "false": ("no", "incorrect", "not true")})
DOMAINS: list[AnswerDomain] = [Label(5), LabelSet(), TRUTH, ShortString(), SymbolSequence(["I_RUN"])]


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("The answer is (B).", "B"),
        ("(B) mexico", "B"),
        ("B", "B"),
        ("b)", "B"),
        ("b", "B"),
        ("Answer: B. mexico", "B"),
        (r"so \boxed{B} Mexico", "B"),
        (r"so the answer is \(\boxed{(C) \text{city}}\).", "C"),
        ("**Answer: (D)** because the others do not fit", "D"),
        ("the correct answer is answer2", "B"),
        ("The answer is (A).\nNo, wait: the answer is (C).", "C"),
        ("First, (A) cannot be.\nSo I choose (D)", "D"),
        ("We can conclude that people experience (D) getting hurt.", "D"),
    ],
)
def test_the_letter_of_a_choice_is_found(text: str, letter: str) -> None:
    assert Label(5).extract(text) == letter


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "The answer is",
        "A dog is an animal.",
        "The answer is a",
        r"\boxed{C, E}",
        r"\boxed{(C) ocean or (E) gulf}",
        r"\boxed{(F) hospital}",
        r"\boxed{None of the above}",
        "answer1/answer2/answer3/answer4",
        "The answer is not (B).",
        "(A) and (B) are both fine",
        "The answer is \uff08\uff22\uff09",  # full-width letters are not the letters
        "x" * 100_000,
        "(" * 100_000,
        r"\boxed{" * 20_000,
    ],
)
def test_a_text_that_chooses_nothing_or_several_has_no_letter(text: str) -> None:
    assert Label(5).extract(text) is None


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("The answer is (A), (C).", "A, C"),
        ("The answer is (C), (A), (C).", "A, C"),
        ("The answer is (C) two days and (A) a week.", "A, C"),
        ("A, C", "A, C"),
        ("The answer is none.", "none"),
        ("None of the candidates", "none"),
        ("The answer is (A) but not (C).", None),
        ("The answer is none, except (A).", None),
        ("it takes a while", None),
        ("", None),
    ],
)
def test_a_set_of_letters_has_no_order(text: str, letters: str | None) -> None:
    assert LabelSet().extract(text) == letters


@pytest.mark.parametrize(
    ("predicted", "gold", "expected"),
    [
        ("A, B", "A, B", 1.0),
        ("A", "A, B", 2 / 3),
        ("C", "A, B", 0.0),
        ("none", "none", 1.0),
        ("none", "A", 0.0),
        ("A", "none", 0.0),
        (None, "A", 0.0),
    ],
)
def test_f1_of_sets_follows_the_evaluator_of_mc_taco(predicted: str | None, gold: str, expected: float) -> None:
    assert set_f1(predicted, gold) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Soup is liquid.\nThe answer is false.", "false"),
        ("True", "true"),
        ("Yes, because soup is liquid.", "true"),
        ("The answer is that the claim is not true.", "false"),
        ("Therefore, the claim is false.", "false"),
        ("The answer is: **True**", "true"),
        ("Therefore, it is not entirely true", None),
        ("I have no idea.", None),
        ("True or not, I say false", None),
        ("The answer is trueish", None),
        ("The answer is true or false.", None),
        ("The answer is **true** / **false**", None),
        ("The answer is true, no doubt.", "true"),
        ("The answer is correct and true.", "true"),
        ("", None),
    ],
)
def test_a_class_is_told_by_its_words(text: str, name: str | None) -> None:
    assert TRUTH.extract(text) == name


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is the Eiffel Tower.", "eiffel tower"),
        ("Paris", "paris"),
        ("Some thoughts.\nMore thoughts", None),
        ("The answer is " + "very " * 100 + "long", None),
        ("...", None),
    ],
)
def test_a_short_string_ignores_case_articles_and_marks(text: str, answer: str | None) -> None:
    assert ShortString().extract(text) == answer


def test_a_sequence_is_nothing_but_its_symbols() -> None:
    assert SymbolSequence(["a", "b"]).extract(" a\nb ") == "a b"
    assert SymbolSequence(["a", "b"]).extract("a c") is None


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: type(domain).__name__)
@given(text=st.text(max_size=300))
def test_any_text_has_an_answer_in_canonical_form_or_none(domain: AnswerDomain, text: str) -> None:
    answer = domain.extract(text)
    assert answer is None or domain.canonical(answer) == answer


@pytest.mark.parametrize("size", range(1, 26))
def test_a_written_set_reads_back(size: int, seed: int) -> None:
    letters = sorted(random.Random(seed + size).sample("ABCDEFGHIJKLMNOPQRSTUVWXYZ", size))
    answer = ", ".join(letters)
    assert LabelSet().extract(LabelSet().write(answer)) == answer


HOSTILE = {
    "brackets": "(" * 100_000,
    "blanks": "A" + " " * 100_000 + "x",
    "marks": "!" * 100_000 + "true?" + "!" * 100_000 + "?x",
    "boxes": r"\boxed{" * 20_000,
    "answers": "the answer is " * 10_000,
    "finals": "final " * 20_000,
    "negations": "not " * 30_000 + "(B",
    "commands": r"\text{" * 20_000,
    "letters": "A, " * 40_000 + "?",
    "words": "the claim is " * 10_000,
    "digits": "answer" + "1" * 100_000,
    "code": "def answer():\n    return {'answer': [None]}\n" * 2_000,
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: type(domain).__name__)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_read_in_time_and_answers_nothing(domain: AnswerDomain, text: str) -> None:
    assert domain.extract(text) is None
