"""What holds of equality and of votes whatever the answers are."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s_jobs.contracts.settings import TaskSettings
from w2s_jobs.core.equality import equal_expressions
from w2s_jobs.core.latex import normalise
from w2s_jobs.core.numbers import canonical_number, parse_number
from w2s_jobs.core.shards import shard_range
from w2s_jobs.core.voting import group_answers, vote
from w2s_jobs.steps.grade import grade_question
from w2s_jobs.tasks.gsm8k import Gsm8k
from w2s_jobs.tasks.math import Math

WHOLE = st.integers(-50, 50).map(str)
NUMBERS = st.one_of(
    WHOLE,
    st.builds("{}/{}".format, st.integers(-20, 20), st.integers(1, 9)),
    st.builds(r"\frac{{{}}}{{{}}}".format, st.integers(-20, 20), st.integers(1, 9)),
    st.decimals(-100, 100, places=2).map(str),
)
TERMS = st.recursive(
    st.one_of(WHOLE, st.sampled_from(["x", "y", "n", r"\pi"])),
    lambda inner: st.one_of(
        st.builds("({}+{})".format, inner, inner),
        st.builds(r"\frac{{{}}}{{{}}}".format, inner, inner),
        st.builds(r"\sqrt{{{}}}".format, inner),
        st.builds("({})^2".format, inner),
    ),
    max_leaves=4,
)
ANSWERS = st.one_of(
    NUMBERS,
    TERMS,
    st.builds("({},{})".format, NUMBERS, TERMS),
    st.builds("[{},{})".format, NUMBERS, NUMBERS),
    st.builds("{}, {}".format, TERMS, NUMBERS),
    st.builds("x={}".format, TERMS),
    st.text(max_size=30),
)


@given(ANSWERS)
def test_every_answer_but_the_empty_one_equals_itself(answer: str) -> None:
    normal = normalise(answer)
    assert equal_expressions(normal, normal)
    assert equal_expressions(f" {normal} ", normal) or not normal


@settings(max_examples=150)
@given(ANSWERS, ANSWERS)
def test_equality_does_not_depend_on_the_side(a: str, b: str) -> None:
    assert equal_expressions(a, b) == equal_expressions(b, a)


@given(NUMBERS, NUMBERS)
def test_equal_canonical_forms_mean_equal_and_different_ones_different(a: str, b: str) -> None:
    for family in (Gsm8k(), Math()):
        assert (family.canonical(a) == family.canonical(b)) == family.equal(a, b)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_canonical_form_shared_by_two_texts_means_equal(a: str, b: str) -> None:
    for family in (Gsm8k(), Math()):
        if family.canonical(a) is not None and family.canonical(a) == family.canonical(b):
            assert family.equal(a, b)


@settings(max_examples=100)
@given(TERMS, st.integers(1, 9))
def test_a_term_is_never_equal_to_itself_plus_something(term: str, more: int) -> None:
    assert not equal_expressions(term, f"{term}+{more}")


@given(st.integers(-(10**12), 10**12))
def test_a_number_is_itself_however_it_is_written(number: int) -> None:
    assert parse_number(f"{number:,}") == number
    assert canonical_number(f"{number}.0") == canonical_number(str(number))


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3), NUMBERS), min_size=1, max_size=24), st.randoms(use_true_random=False))
def test_a_vote_depends_neither_on_row_order_nor_on_chunks_nor_on_shards(
    drawn: Sequence[tuple[int, str]], chance: random.Random
) -> None:
    rows = [(f"row-{row}", sample, rf"So it is \boxed{{{answer}}}") for sample, (row, answer) in enumerate(drawn)]
    whole = graded(rows)
    chance.shuffle(rows)
    assert graded(rows) == whole
    ids = sorted(whole)
    owned = [{ids[number] for number in shard_range(len(ids), shard, 3)} for shard in range(3)]
    shards = [[row for row in rows if row[0] in mine] for mine in owned]
    assert {row: votes for shard in shards for row, votes in graded(shard).items()} == whole


def graded(rows: Sequence[tuple[str, int, str]]) -> dict[str, object]:
    by_row: dict[str, list[tuple[int, str]]] = {}
    for row, sample, text in rows:
        by_row.setdefault(row, []).append((sample, text))
    return {row: grade_question(TaskSettings(family="math"), (row, samples)) for row, samples in by_row.items()}


@given(st.lists(NUMBERS, min_size=1, max_size=10))
def test_every_group_is_of_equal_answers_and_no_two_groups_are(answers: list[str]) -> None:
    groups = group_answers(answers, Math())
    for first, one in zip(groups, answers, strict=True):
        for second, other in zip(groups, answers, strict=True):
            assert (first == second) == Math().equal(one, other)
    assert vote(answers, groups).valid == len(answers)


@pytest.mark.timeout(120)
def test_of_real_answers_only_those_are_equal_that_differ_in_blanks_brackets_and_capitals(
    real_data: Path, seed: int
) -> None:
    lines = (real_data / "math/math_train_answers.head2500.jsonl").read_text().splitlines()
    answers = sorted({normalise(json.loads(line)["final_answer"]) for line in lines})
    expressions = [answer for answer in answers if parse_number(answer) is None]
    drawn = random.Random(seed).sample(expressions, 50)
    for number, one in enumerate(drawn):
        for other in drawn[number + 1 :]:
            if equal_expressions(one, other):
                assert re.sub(r"[\s()]", "", one).casefold() == re.sub(r"[\s()]", "", other).casefold()
