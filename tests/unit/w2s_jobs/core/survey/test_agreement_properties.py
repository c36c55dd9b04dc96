from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from w2s_jobs.contracts.survey_results import AGREEMENT_CLASSES, AgreementCounts
from w2s_jobs.core.survey.agreement import JudgedAnswer, agreement_class, as_counts, sum_counts
from w2s_jobs.core.survey.judge import CapabilityJudge

ANSWERS = st.sampled_from([None, "1", "1.0", "2", "2.0", "3"])
TABLES = st.lists(st.tuples(st.sampled_from(["1", "2"]), ANSWERS, ANSWERS), max_size=30)


def same_number(a: str, b: str) -> bool:
    return float(a) == float(b)


def judged(rows: list[tuple[str, str | None, str | None]]) -> tuple[CapabilityJudge, list[str]]:
    judge = CapabilityJudge({str(i): gold for i, (gold, _, _) in enumerate(rows)}, same_number)
    first = judge.judge_all({str(i): answer for i, (_, answer, _) in enumerate(rows)})
    second = judge.judge_all({str(i): answer for i, (_, _, answer) in enumerate(rows)})
    return judge, judge.classes(first, second)


def total(counts: AgreementCounts) -> int:
    return sum(getattr(counts, name) for name in AGREEMENT_CLASSES)


def belongs(name: str, gold: str, first: str | None, second: str | None) -> bool:
    """Say what each class means, in words of its own."""
    right = [answer is not None and same_number(answer, gold) for answer in (first, second)]
    equal = first is not None and second is not None and same_number(first, second)
    return {
        "both_right": all(right),
        "both_wrong_same": not any(right) and equal,
        "second_right": right == [False, True],
        "first_right": right == [True, False],
        "both_wrong_different": not any(right) and not equal,
    }[name]


@given(TABLES)
def test_the_five_classes_partition_the_questions(rows: list[tuple[str, str | None, str | None]]) -> None:
    _, classes = judged(rows)
    assert total(as_counts(classes)) == len(rows)


@given(st.sampled_from(["1", "2"]), ANSWERS, ANSWERS)
def test_each_pair_of_answers_is_in_exactly_the_class_that_describes_it(
    gold: str, first: str | None, second: str | None
) -> None:
    _, (found,) = judged([(gold, first, second)])
    assert [name for name in AGREEMENT_CLASSES if belongs(name, gold, first, second)] == [found]


@given(TABLES)
def test_swapping_the_two_sets_swaps_only_who_is_right(rows: list[tuple[str, str | None, str | None]]) -> None:
    one = as_counts(judged(rows)[1])
    other = as_counts(judged([(gold, second, first) for gold, first, second in rows])[1])
    assert (one.first_right, one.second_right) == (other.second_right, other.first_right)
    assert (one.both_right, one.both_wrong_same) == (other.both_right, other.both_wrong_same)


@given(TABLES, TABLES)
def test_counts_add_up(
    rows: list[tuple[str, str | None, str | None]], more: list[tuple[str, str | None, str | None]]
) -> None:
    apart = sum_counts([as_counts(judged(rows)[1]), as_counts(judged(more)[1])])
    assert apart == as_counts(judged([*rows, *more])[1])


def test_a_missing_answer_is_wrong_and_equals_nothing() -> None:
    missing = JudgedAnswer(None, False)
    assert agreement_class(missing, missing, same_number) == "both_wrong_different"
    assert agreement_class(missing, JudgedAnswer("3", False), same_number) == "both_wrong_different"


def test_two_wrong_answers_are_compared_as_the_family_does() -> None:
    assert judged([("1", "2", "2.0")])[1] == ["both_wrong_same"]
