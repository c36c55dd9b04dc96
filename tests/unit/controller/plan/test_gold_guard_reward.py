"""Tries to smuggle gold into the selections, reward models and prompts of method `reward`."""

from collections.abc import Iterator
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

import pytest

from controller.errors import PlanRefused
from controller.plan.compile import compile_plan
from controller.plan.gold_guard import refuse_gold_leaks
from controller.plan.graph import Plan, Step
from tests.support.guarded_steps import (
    CALIBRATION,
    CALIBRATION_FILTER,
    CALIBRATION_GOLD,
    CALIBRATION_SAMPLES,
    CALIBRATION_VOTES,
    CEILING,
    CEILING_SCORE,
    CLEAN,
    CLEAN_MODEL,
    CLEAN_SAMPLES,
    CLEAN_SCORE,
    EVERY_DOOR,
    EXTRA_GOLD,
    GOLD,
    LABELLED,
    QUESTIONS,
    TEST,
    TEST_GOLD,
    VOTES,
    a_step,
    check,
)
from w2s_jobs.contracts.survey import SurveyPoint

PAIRS = a_step("partition", "strong", weak=VOTES, strong=VOTES, questions=QUESTIONS)
REWARD_MODEL = a_step("train", "reward-model", pairs=PAIRS)
SCORES = a_step("score", votes=VOTES, questions=QUESTIONS, model=REWARD_MODEL)
KEPT = a_step("select", votes=VOTES, questions=QUESTIONS, scores=SCORES)


def a_point(role: str, evaluate: Step) -> SurveyPoint:
    return SurveyPoint(id="p", role=role, model="l", seed=0, evaluations={"gsm8k": evaluate.key})


def test_the_method_itself_passes() -> None:
    drawn = a_step("select", votes=VOTES, questions=QUESTIONS, size=KEPT)
    ours, as_many = (a_step("train", "selected", examples=one) for one in (KEPT, drawn))
    shown = a_step("sample", "strong", questions=TEST, shots=LABELLED)
    check(PAIRS, REWARD_MODEL, SCORES, KEPT, drawn, ours, as_many, shown)


def test_an_analysis_of_clean_labels_and_the_survey_may_read_gold() -> None:
    survey = a_step("survey", "report", scored=CLEAN_SCORE, gold=GOLD, kept=CLEAN, votes=VOTES, loss=CLEAN_MODEL)
    check(survey, points=(a_point("clean", CLEAN_SCORE), a_point("noise", CLEAN_SCORE)))


@pytest.mark.parametrize(("kind", "role"), EVERY_DOOR)
@pytest.mark.parametrize("as_role", ["clean", "noise", "reward-model", "selected", "ceiling"])
def test_clean_labels_are_learnt_from_for_an_analysis_and_used_for_nothing_else(
    kind: str, role: str, as_role: str
) -> None:
    thief = a_step(kind, as_role, **{role: CLEAN})
    if (kind, role) == ("train", "examples") and as_role in ("clean", "noise"):
        check(thief)
        return
    with pytest.raises(PlanRefused, match="chosen by gold may only be learnt from to analyse noise"):
        check(thief)


@pytest.mark.parametrize(("kind", "role"), EVERY_DOOR)
@pytest.mark.parametrize("made", [CLEAN_MODEL, CLEAN_SAMPLES, CLEAN_SCORE], ids=["model", "samples", "scores"])
def test_what_a_model_of_clean_labels_made_goes_nowhere_but_to_its_own_evaluation(
    kind: str, role: str, made: Step
) -> None:
    rest = {"questions": TEST} if kind == "sample" and role == "model" else {}
    thief = a_step(kind, "clean", **rest, **{role: made})
    if (made, kind, role) in [(CLEAN_MODEL, "sample", "model"), (CLEAN_SAMPLES, "evaluate", "samples")]:
        check(thief)
        return
    with pytest.raises(PlanRefused):
        check(thief)


@pytest.mark.parametrize("model", [CLEAN_MODEL, CEILING], ids=["clean", "ceiling"])
def test_a_model_that_knows_gold_judges_no_labels_and_labels_no_questions(model: Step) -> None:
    for thief in (
        a_step("score", votes=VOTES, questions=QUESTIONS, model=model),
        a_step("score", votes=VOTES, questions=TEST, model=model),
        a_step("sample", "clean", model=model, questions=[TEST, QUESTIONS]),
        a_step("train", "reward-model", model=model, pairs=PAIRS),
        a_step("train", "selected", model=model, examples=KEPT),
    ):
        with pytest.raises(PlanRefused, match="only be sampled over the test questions"):
            check(PAIRS, REWARD_MODEL, SCORES, KEPT, thief)


@pytest.mark.parametrize("gold", [GOLD, TEST_GOLD, EXTRA_GOLD, CALIBRATION_GOLD, CLEAN], ids=lambda step: step.name)
def test_no_gold_but_that_of_the_labelled_split_is_shown_in_context(gold: Step) -> None:
    with pytest.raises(PlanRefused, match="as its shots"):
        check(a_step("sample", "strong", questions=TEST, shots=[LABELLED, gold]))


def test_clean_reads_gold_of_the_unlabelled_split_as_gold_only_and_no_other_gold() -> None:
    for role in ("votes", "questions"):
        with pytest.raises(PlanRefused, match=f"as its {role}"):
            check(a_step("clean", "clean", gold=GOLD, **{role: GOLD}))
    for gold in (TEST_GOLD, EXTRA_GOLD, CALIBRATION_GOLD):
        with pytest.raises(PlanRefused, match="as its gold"):
            check(a_step("clean", "clean", votes=VOTES, questions=QUESTIONS, gold=gold))


@pytest.mark.parametrize("kind", ["partition", "score", "clean", "train"])
@pytest.mark.parametrize(
    "rows", [CALIBRATION, CALIBRATION_GOLD, CALIBRATION_SAMPLES, CALIBRATION_VOTES, CALIBRATION_FILTER]
)
def test_calibration_rows_reach_no_partition_score_or_training(kind: str, rows: Step) -> None:
    for door in [role for of, role in EVERY_DOOR if of == kind]:
        with pytest.raises(PlanRefused, match="rows of the calibration split"):
            check(a_step(kind, "selected", **{door: rows}))


def test_calibration_rows_neither_size_a_draw_nor_stand_before_a_question() -> None:
    for thief in (
        a_step("select", votes=VOTES, questions=QUESTIONS, size=CALIBRATION_FILTER),
        a_step("sample", questions=TEST, shots=CALIBRATION),
        a_step("grade", samples=CLEAN_SAMPLES, questions=CALIBRATION),
    ):
        with pytest.raises(PlanRefused):
            check(thief)


@pytest.mark.parametrize("role", ["weak", "in-context", "wts", "selected", "no-warm-up", "mixed", "removed"])
@pytest.mark.parametrize("evaluated", [CEILING_SCORE, CLEAN_SCORE], ids=["ceiling", "clean"])
def test_a_point_that_rests_on_gold_is_reported_as_nothing_else(role: str, evaluated: Step) -> None:
    with pytest.raises(PlanRefused, match=f"point 'p' is reported as {role}, but rests on gold of the unlabelled"):
        check(points=(a_point(role, evaluated),))


def test_a_ceiling_is_no_analysis_of_noise_and_clean_labels_make_no_ceiling() -> None:
    for role, evaluated in (("clean", CEILING_SCORE), ("noise", CEILING_SCORE), ("ceiling", CLEAN_SCORE)):
        with pytest.raises(PlanRefused, match=f"point 'p' is reported as {role}"):
            check(points=(a_point(role, evaluated),))


def test_gold_in_one_of_several_evaluations_of_a_point_is_found() -> None:
    honest = a_step("evaluate", "wts", samples=a_step("sample", questions=TEST), gold=TEST_GOLD, questions=TEST)
    both = {"honest": honest.key, "false": CLEAN_SCORE.key}
    point = SurveyPoint(id="p", role="wts", model="l", seed=0, evaluations=both)
    with pytest.raises(PlanRefused, match="reported as wts"):
        check(a_step("sample", questions=TEST), honest, points=(point,))


def test_no_input_of_a_whole_plan_can_be_exchanged_for_gold_or_what_was_made_of_it(reward_experiment) -> None:
    """Each kind of input, in turn, against everything that knows gold which it must not pass on."""
    reward = {
        "pairs": [{"weak": "1.8b", "strong": "4b"}],
        "selections": ["reward", "random", "both"],
        "confidenceThreshold": 50,
        "ablations": ["wts-2", "mixed", "clean", "no-warm-up", "in-context"],
        "noise": [30],
        "weakened": [["scan"]],
        "removed": [["scan"]],
    }
    plan = compile_plan(reward_experiment(method__reward=reward))
    tried = set()
    for step, role, secret in _exchanges(plan):
        changed = _exchange(plan, step, role, secret)
        if changed is None:
            continue
        tried.add((step.kind, role))
        if _is_meant(step, role, secret):
            refuse_gold_leaks(changed)
            continue
        said = _refusal(changed)
        assert "gold of the" in said, f"{step.name} may read {secret.name} as {role}: {said}"
    assert set(EVERY_DOOR) - tried <= {(kind, role) for kind, role in EVERY_DOOR if kind == "choose"} | {
        ("select", "threshold")  # no rule chooses one in this method
    }


def _exchanges(plan: Plan) -> Iterator[tuple[Step, str, Step]]:
    """Yield the first step of each kind and role, each role in which it reads, and each secret."""
    golden = ("prepare gsm8k unlabelled gold", "prepare gsm8k test gold", "train ceiling 4b seed 0")
    cleaned = ("clean gsm8k with 0 % noise, 1.8b seed 0", "train clean/1.8b-4b/seed0")
    sampled = ("sample test, ceiling/4b/seed0", "sample test, clean/1.8b-4b/seed0")
    secrets = [step for step in plan.steps if step.name in golden + cleaned + sampled]
    assert len(secrets) == 7
    seen = set()
    for step in plan.steps:
        for role in step.inputs:
            if step.kind != "survey" and (step.kind, step.role, role) not in seen:
                seen.add((step.kind, step.role, role))
                yield from ((step, role, secret) for secret in secrets)


def _exchange(plan: Plan, step: Step, role: str, secret: Step) -> Plan | None:
    """Let a step read the secret instead of what it reads first in a role; None where that would go in a circle."""
    first, *others = step.inputs[role]
    stolen = first.model_copy(update={"kind": secret.kind, "key": secret.key})
    thief = replace(step, inputs={**step.inputs, role: (stolen, *others)})
    steps = {one.key: thief if one.key == step.key else one for one in plan.steps}
    reads = {key: {item.key for items in one.inputs.values() for item in items} for key, one in steps.items()}
    try:
        order = tuple(TopologicalSorter(reads).static_order())
    except CycleError:
        return None
    return Plan(plan.experiment, tuple(steps[key] for key in order), plan.points, plan.report)


def _refusal(plan: Plan) -> str:
    try:
        refuse_gold_leaks(plan)
    except PlanRefused as refused:
        return str(refused)
    return ""


def _is_meant(step: Step, role: str, secret: Step) -> bool:
    """Tell whether a step may read a secret: as it does in the plan that is honest."""
    return secret.key in {item.key for item in step.inputs[role]} or (step.kind, role, secret.name) in {
        ("evaluate", "gold", "prepare gsm8k test gold"),
        ("clean", "gold", "prepare gsm8k unlabelled gold"),
        # Clean labels are those with 0 % of the noise: the same analysis.
        ("train", "examples", "clean gsm8k with 0 % noise, 1.8b seed 0" if step.role == "noise" else ""),
        ("evaluate", "samples", "sample test, clean/1.8b-4b/seed0" if step.role == "noise" else ""),
    }
