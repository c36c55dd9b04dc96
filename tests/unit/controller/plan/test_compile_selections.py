"""What picks the labels of a round, beside its thresholds: rules, and the selections of the other method."""

from collections import Counter

from controller.plan.compile import compile_plan
from tests.support.plan_steps import all_below, changed

CALIBRATION = {"labelled": 100, "calibration": 80, "unlabelled": 200, "test": 50}
RULES = ["calibrated", "agreement"]


def with_rules(experiment, *rounds, **changes):
    ablations = {"method__confidence__ablations": []}
    return compile_plan(
        experiment(dataset__splits=CALIBRATION, method__confidence__rounds=list(rounds), **{**ablations, **changes})
    )


def test_a_rule_beside_a_sweep_trains_nothing_and_the_report_reads_its_choice(experiment) -> None:
    swept = [{"thresholds": [50, 70]}, {"thresholds": [60, 80]}]
    before = with_rules(experiment, *swept)
    after = with_rules(experiment, *({**one, "rules": RULES} for one in swept))
    assert before.points == after.points
    assert not [name for name in changed(before, after) if name.startswith(("train", "select", "evaluate", "relabel"))]
    params = after.step(after.report).params
    assert [(c.rule, c.after, c.swept) for c in params.choices] == [
        (rule, path, True) for path in ((), (50,), (70,)) for rule in RULES
    ]
    assert {item.key for item in after.step(after.report).inputs["thresholds"]} == {c.choose for c in params.choices}
    assert {after.step(c.choose).params.candidates for c in params.choices} == {(50, 70), (60, 80)}


def test_a_rule_in_a_round_without_thresholds_trains_on_its_choice_among_all(experiment) -> None:
    plan = with_rules(experiment, {"rules": RULES}, {"thresholds": [60]})
    assert [p.thresholds for p in plan.points if p.role == "round"] == [
        ("calibrated",),
        ("calibrated", 60),
        ("agreement",),
        ("agreement", 60),
    ]
    (select,) = [step for step in plan.steps if step.name == "select round 1 t=agreement seed 0"]
    (threshold,) = select.inputs["threshold"]
    assert select.params.threshold is None
    assert plan.step(threshold.key).params.candidates == ()
    assert [(c.rule, c.swept) for c in plan.step(plan.report).params.choices] == [(rule, False) for rule in RULES]


def test_the_calibration_questions_are_labelled_by_who_labels_the_round_and_filtered_like_the_others(
    experiment,
) -> None:
    plan = with_rules(experiment, {"thresholds": [50]}, {"thresholds": [60]}, {"thresholds": [90], "rules": RULES})
    (choose,) = [step for step in plan.steps if step.name == "choose calibrated round 3 t=50-60 seed 0"]
    below = [plan.step(key).name for key in all_below(plan, choose.inputs["calibration"][0].key)]
    assert "label calibration t=50-60 seed 0" in below
    assert "train round 2 t=50-60 seed 0" in below
    assert [plan.step(item.key).name for item in choose.inputs["discarded"]] == [
        "filter calibration t=50 seed 0",
        "filter calibration t=50-60 seed 0",
    ]


def test_agreement_needs_no_labelled_question(experiment) -> None:
    plan = with_rules(experiment, {"thresholds": [50, 70], "rules": ["agreement"]})
    assert not [step for step in plan.steps if "calibration" in step.name]


def test_the_report_judges_a_choice_by_the_labels_that_its_round_would_keep(experiment) -> None:
    rounds = [{"thresholds": [50], "rules": ["agreement"]}, {"thresholds": [60], "rules": ["agreement"]}]
    for required in (True, False):
        plan = with_rules(experiment, *rounds, method__confidence__requireChainOfThought=required)
        asked = [choice.require_chain_of_thought for choice in plan.step(plan.report).params.choices]
        assert asked == [False, required]


def test_selections_of_the_other_method_stand_beside_the_thresholds_and_share_one_reward_model(experiment) -> None:
    rounds = [{"thresholds": [50], "selections": ["reward", "both", "random"], "confidenceThreshold": 60}]
    plan = compile_plan(experiment(method__confidence__rounds=rounds, method__confidence__ablations=[]))
    assert [p.thresholds for p in plan.points if p.role == "round"] == [(50,), ("reward",), ("both",), ("random",)]
    counts = Counter(step.kind for step in plan.steps)
    assert (counts["partition"], counts["score"]) == (1, 1)
    (judge,) = [step for step in plan.steps if step.role == "reward-model"]
    assert judge.params.reward is not None
    chosen = {p.thresholds[0]: plan.step(p.selects[0]) for p in plan.points if p.role == "round"}
    assert (chosen["both"].params.threshold, chosen["both"].params.min_reward) == (60, 0.5)
    assert chosen["random"].inputs["size"][0].key == chosen["reward"].key
    (conventional,) = [p for p in plan.points if p.role == "conventional"]
    assert conventional.train in all_below(plan, chosen["reward"].key), "the reward model needs what S itself says"
    assert all(
        conventional.train not in plan.dependencies(plan.step(p.train)) for p in plan.points if p.role == "round"
    )


def test_a_selection_by_reward_goes_on_to_the_next_round_with_the_same_reward_model(experiment) -> None:
    rounds = [{"selections": ["reward"]}, {"selections": ["reward"]}]
    plan = compile_plan(experiment(method__confidence__rounds=rounds, method__confidence__ablations=[]))
    assert [p.thresholds for p in plan.points if p.role == "round"] == [("reward",), ("reward", "reward")]
    assert len([step for step in plan.steps if step.role == "reward-model"]) == 1
    assert len([step for step in plan.steps if step.kind == "score"]) == 2
