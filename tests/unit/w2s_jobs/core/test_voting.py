from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_jobs.core.voting import group_answers, vote
from w2s_jobs.tasks.gsm8k import Gsm8k
from w2s_jobs.tasks.math import Math

ANSWERS = st.lists(st.sampled_from([None, "1", "1.0", "2", "3/1", "3", "07"]), max_size=12)


def winner(answers: Sequence[str | None]) -> tuple[str | None, int, int]:
    outcome = vote(answers, group_answers(answers, Gsm8k()))
    return outcome.answer, outcome.count, outcome.sample


@pytest.mark.parametrize(
    ("answers", "expected", "reason"),
    [
        (["1", "2", "2"], ("2", 2, 1), "the most frequent wins"),
        (["1", "2"], ("1", 1, 0), "a tie goes to the answer whose first sample comes first"),
        ([None, None, "7"], ("7", 1, 2), "an invalid answer never wins, however frequent"),
        ([None, None], (None, 0, -1), "without a valid answer nobody wins"),
        (["0.5", "1/2", "2"], ("0.5", 2, 0), "equal numbers are one answer, said in the words of the first"),
        ([], (None, 0, -1), "no samples, no winner"),
    ],
)
def test_a_vote_is_won_as_the_paper_says(answers: list[str | None], expected: object, reason: str) -> None:
    assert winner(answers) == expected, reason


def test_mathematically_equal_expressions_are_one_answer() -> None:
    answers = [r"\frac{\sqrt{8}}{2}", "3", r"\sqrt{2}", "2^{1/2}"]
    assert group_answers(answers, Math()) == [0, 1, 0, 0]


@given(ANSWERS)
def test_invalid_samples_count_in_the_total_but_never_win(answers: list[str | None]) -> None:
    outcome = vote(answers, group_answers(answers, Gsm8k()))
    assert outcome.total == len(answers)
    assert outcome.valid == sum(answer is not None for answer in answers)
    assert (outcome.answer is None) == (outcome.valid == 0)
    assert outcome.count <= outcome.valid


@given(ANSWERS, st.randoms())
def test_the_count_of_the_winner_does_not_depend_on_the_order(answers: list[str | None], random: object) -> None:
    before = vote(answers, group_answers(answers, Gsm8k())).count
    random.shuffle(answers)  # type: ignore[attr-defined]
    assert vote(answers, group_answers(answers, Gsm8k())).count == before
