"""Tries to smuggle gold into every kind of step, in every role, directly and over several hops."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.errors import PlanRefused
from controller.plan.gold_guard import CEILINGS, CLEANED
from controller.plan.graph import Step
from tests.support.guarded_steps import (
    CALIBRATION,
    CALIBRATION_FILTER,
    CALIBRATION_GOLD,
    CALIBRATION_SAMPLES,
    CALIBRATION_VOTES,
    CEILING,
    CEILING_SAMPLES,
    CEILING_SCORE,
    CHOICE,
    CLEAN,
    CLEAN_MODEL,
    CLEAN_SAMPLES,
    EVERY_DOOR,
    EXTRA,
    EXTRA_GOLD,
    GOLD,
    LABELLED,
    LABELS,
    QUESTIONS,
    TEST,
    TEST_GOLD,
    a_step,
    check,
    data,
)
from w2s_jobs.contracts.report import ReportPoint


def test_a_ceiling_may_learn_from_gold_and_be_evaluated_on_the_test_split() -> None:
    report = a_step("report", "report", scored=CEILING_SCORE, gold=GOLD, loss=CEILING)
    check(report, points=(a_point("ceiling", CEILING_SCORE),))


def test_gold_of_the_labelled_split_is_free() -> None:
    check(a_step("train", "weak", examples=LABELLED))


@pytest.mark.parametrize(("kind", "role"), EVERY_DOOR)
@pytest.mark.parametrize("gold", [GOLD, TEST_GOLD, EXTRA_GOLD], ids=["unlabelled", "test", "extraTest"])
def test_gold_enters_by_no_door_but_the_one_that_is_meant_for_it(kind: str, role: str, gold: Step) -> None:
    thief = a_step(kind, "round", **{role: gold})
    if (kind, role) == (("clean", "gold") if gold is GOLD else ("evaluate", "gold")):
        check(thief)
        return
    with pytest.raises(PlanRefused, match=f"'{thief.name}'.*gold of the .* split as its {role}.*Rule"):
        check(thief)


@pytest.mark.parametrize(("kind", "role"), EVERY_DOOR)
@pytest.mark.parametrize("made", [CEILING, CEILING_SAMPLES, CEILING_SCORE], ids=["model", "samples", "scores"])
def test_what_a_ceiling_made_goes_nowhere_but_to_its_own_evaluation(kind: str, role: str, made: Step) -> None:
    rest = {"questions": TEST} if kind == "sample" and role == "model" else {}
    thief = a_step(kind, "ceiling", **rest, **{role: made})
    if (made, kind, role) in [(CEILING, "sample", "model"), (CEILING_SAMPLES, "evaluate", "samples")]:
        check(thief)
        return
    with pytest.raises(PlanRefused):
        check(thief)


@pytest.mark.parametrize(("kind", "role"), EVERY_DOOR)
def test_gold_of_the_calibration_split_is_read_by_nothing_but_a_choice(kind: str, role: str) -> None:
    thief = a_step(kind, "round", **{role: CALIBRATION_GOLD})
    if (kind, role) == ("choose", "gold"):
        check(thief)
        return
    with pytest.raises(PlanRefused, match="gold be read by choose"):
        check(thief)


@pytest.mark.parametrize("role", ["round", "weak", "strong", "ceiling", "conventional"])
@pytest.mark.parametrize(
    "rows",
    [CALIBRATION, CALIBRATION_GOLD, CALIBRATION_SAMPLES, CALIBRATION_VOTES, CALIBRATION_FILTER],
    ids=["questions", "gold", "samples", "votes", "filtered"],
)
def test_no_model_learns_from_calibration_rows(rows: Step, role: str) -> None:
    with pytest.raises(PlanRefused, match="no model learns from them"):
        check(a_step("train", role, examples=[LABELLED, rows]))


def test_calibration_votes_are_not_taken_for_those_to_choose_from_or_to_be_scored() -> None:
    for thief in (a_step("choose", votes=CALIBRATION_VOTES), a_step("evaluate", samples=CALIBRATION_SAMPLES)):
        with pytest.raises(PlanRefused, match="rows of the calibration split"):
            check(thief)


def test_a_chosen_threshold_is_free_and_a_model_may_rest_on_it() -> None:
    select = a_step("select", votes=a_step("grade", samples=LABELS), questions=QUESTIONS, threshold=CHOICE)
    check(select, a_step("train", "round", examples=select))


def test_a_ceiling_is_evaluated_on_extra_test_questions_too() -> None:
    samples = a_step("sample", "strong", model=CEILING, questions=EXTRA)
    check(samples, a_step("evaluate", "ceiling", samples=samples, gold=EXTRA_GOLD, questions=EXTRA))


@pytest.mark.parametrize("questions", [QUESTIONS, CALIBRATION, GOLD, LABELLED, LABELS], ids=lambda step: step.name)
def test_a_ceiling_labels_nothing_but_the_test_questions(questions: Step) -> None:
    with pytest.raises(PlanRefused):
        check(a_step("sample", "ceiling", model=CEILING, questions=questions))


def test_a_ceiling_without_questions_or_with_others_beside_the_test_questions_is_refused() -> None:
    for questions in ([], [TEST, QUESTIONS]):
        with pytest.raises(PlanRefused, match="only be sampled over the test questions"):
            check(a_step("sample", "ceiling", model=CEILING, questions=questions))


def test_a_ceiling_takes_gold_as_its_examples_and_in_no_other_role() -> None:
    with pytest.raises(PlanRefused, match="as its model"):
        check(a_step("train", "ceiling", model=GOLD, examples=LABELLED))
    with pytest.raises(PlanRefused, match="as its notes"):
        check(a_step("sample", "ceiling", notes=CEILING, questions=TEST))


def test_gold_hidden_among_honest_examples_is_found() -> None:
    votes = a_step("grade", samples=LABELS)
    kept = a_step("select", votes=votes, questions=QUESTIONS)
    with pytest.raises(PlanRefused, match="'prepare unlabelled gold'"):
        check(votes, kept, a_step("train", "round", examples=[kept, LABELLED, GOLD]))


def test_a_training_that_calls_itself_a_ceiling_cannot_pass_for_a_round_in_the_report() -> None:
    with pytest.raises(PlanRefused, match=r"point 'p' is reported as round, but rests on gold of the unlabelled split"):
        check(points=(a_point("round", CEILING_SCORE),))


def test_a_ceiling_that_starts_from_a_ceiling_is_refused() -> None:
    with pytest.raises(PlanRefused):
        check(a_step("train", "ceiling", model=CEILING, examples=GOLD))


def test_a_second_split_of_the_same_dataset_is_refused() -> None:
    other = data("labelled", "gold", seed=1)
    with pytest.raises(PlanRefused, match="one dataset has one split"):
        check(other, a_step("train", "round", examples=other))
    moved = data("labelled", "gold", on_bad_record="skip")
    with pytest.raises(PlanRefused, match="one dataset has one split"):
        check(moved, a_step("train", "round", examples=moved))


def test_an_artifact_that_the_plan_does_not_make_is_refused() -> None:
    unknown = replace(LABELLED, key="f" * 64)
    with pytest.raises(PlanRefused, match="no step before it makes"):
        check(a_step("train", "round", examples=unknown))


def test_an_artifact_under_a_false_kind_is_refused() -> None:
    false = replace(GOLD, kind="select")
    with pytest.raises(PlanRefused, match="no step before it makes"):
        check(a_step("train", "round", examples=false))


def test_the_message_shows_the_whole_way() -> None:
    thief = a_step("grade", samples=CEILING_SAMPLES)
    with pytest.raises(PlanRefused) as refused:
        check(thief)
    way = ["prepare unlabelled gold", "train as ceiling", "sample as strong", "grade as round"]
    places = [str(refused.value).index(f"'{name}'", 60) for name in way]
    assert places == sorted(places)


def a_point(role: str, evaluate: Step) -> ReportPoint:
    return ReportPoint(id="p", role=role, seed=0, evaluate=evaluate.key)


@settings(max_examples=200)
@given(
    hops=st.lists(st.sampled_from(EVERY_DOOR), min_size=1, max_size=5),
    role=st.sampled_from(["round", "weak", "strong", "reward-model", "selected", *sorted(CEILINGS | CLEANED)]),
    learnt=st.sampled_from(["examples", "pairs"]),
    start=st.sampled_from([GOLD, TEST_GOLD, EXTRA_GOLD, CEILING, CEILING_SAMPLES, CLEAN, CLEAN_MODEL, CLEAN_SAMPLES]),
)
def test_no_chain_of_steps_carries_gold_into_a_model_that_labels(
    hops: list[tuple[str, str]], role: str, start: Step, learnt: str
) -> None:
    """Whatever the way, a model made of it and sampled over unlabelled questions is refused."""
    chain, last = [], start
    for kind, door in hops:
        last = a_step(kind, role, **{door: last})
        chain.append(last)
    model = a_step("train", role, **{learnt: last})
    labels = a_step("sample", role, model=model, questions=QUESTIONS)
    with pytest.raises(PlanRefused):
        check(*chain, model, labels)
