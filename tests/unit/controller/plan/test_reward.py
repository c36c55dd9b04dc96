"""Method `reward` -> Plan: what each model starts from, what it learns from, and where it is evaluated."""

import pytest

from controller.plan.compile import compile_plan
from tests.support.reward_plans import (
    CAPABILITIES,
    names,
    plan_of,
    point_of,
    read_by,
    starts_from_the_untouched_model,
    training_of,
)


def test_a_weak_model_is_taught_one_capability_by_its_labelled_gold(reward_experiment) -> None:
    plan = plan_of(reward_experiment)
    trained = [plan.step(key) for key in point_of(plan, "weak/1.8b").trains]
    assert names([read_by(plan, step, "examples")[0] for step in trained]) == [
        f"prepare {name} labelled gold" for name in CAPABILITIES
    ]
    assert all(starts_from_the_untouched_model(step, "1.8B") for step in trained)


def test_weak_labels_are_greedy_and_each_is_made_by_the_teacher_of_its_capability(reward_experiment) -> None:
    plan = plan_of(reward_experiment)
    sampled = [step for step in plan.steps if step.name.startswith("1.8b labels")]
    assert [names(read_by(plan, step, "questions")) for step in sampled] == [
        [f"prepare {name} unlabelled questions"] for name in CAPABILITIES
    ]
    assert [names(read_by(plan, step, "model")) for step in sampled] == [
        [f"train 1.8b on labelled {name} seed 0"] for name in CAPABILITIES
    ]
    assert {(step.params.sampling.samples, step.params.sampling.temperature) for step in sampled} == {(1, 0.0)}


def test_wts_learns_all_weak_labels_of_all_capabilities_from_the_untouched_strong_model(reward_experiment) -> None:
    plan = plan_of(reward_experiment)
    wts = training_of(plan, "wts/")
    learnt = read_by(plan, wts, "examples")
    assert names(learnt) == [f"all 1.8b labels seed 0 of {name}" for name in CAPABILITIES]
    assert starts_from_the_untouched_model(wts, "4B")
    for select in learnt:
        assert (select.params.threshold, select.params.min_reward, select.params.require_valid) == (None, None, False)


def test_the_wts_model_labels_every_capability_in_one_sampling_and_each_is_graded_apart(reward_experiment) -> None:
    plan = plan_of(reward_experiment)
    (sampled,) = [step for step in plan.steps if step.name.endswith("labels all")]
    assert read_by(plan, sampled, "model") == [training_of(plan, "wts/")]
    questions = sampled.inputs["questions"]
    assert len(questions) == 3
    grades = [step for step in plan.steps if step.kind == "grade" and sampled in read_by(plan, step, "samples")]
    assert [step.inputs["questions"] for step in grades] == [(one,) for one in questions]
    assert [step.params.task.family for step in grades] == CAPABILITIES


def test_the_reward_model_learns_the_pairs_of_every_capability_from_the_untouched_strong_model(
    reward_experiment,
) -> None:
    plan = plan_of(reward_experiment)
    (trained,) = [step for step in plan.steps if step.kind == "train" and step.params.reward]
    pairs = read_by(plan, trained, "pairs")
    assert names(pairs) == [f"partition {name} 1.8b-4b seed 0" for name in CAPABILITIES]
    assert "examples" not in trained.inputs
    assert starts_from_the_untouched_model(trained, "4B")
    for name, partition in zip(CAPABILITIES, pairs, strict=True):
        assert names(read_by(plan, partition, "weak")) == [f"grade 1.8b labels {name} seed 0"]
        assert names(read_by(plan, partition, "strong")) == [f"grade wts 1.8b-4b seed 0 labels of {name}"]
        assert names(read_by(plan, partition, "questions")) == [f"prepare {name} unlabelled questions"]


def test_one_scoring_judges_the_weak_labels_of_all_capabilities(reward_experiment) -> None:
    plan = plan_of(reward_experiment)
    (score,) = [step for step in plan.steps if step.kind == "score"]
    assert names(read_by(plan, score, "votes")) == [f"grade 1.8b labels {name} seed 0" for name in CAPABILITIES]
    assert names(read_by(plan, score, "questions")) == [f"prepare {name} unlabelled questions" for name in CAPABILITIES]
    assert score.params.template == read_by(plan, score, "model")[0].params.template


def test_a_reward_model_a_capability_judges_only_its_own_labels(reward_experiment) -> None:
    plan = plan_of(reward_experiment, rewardModel={"perCapability": True, "loss": "difference", "balanced": False})
    models = [step for step in plan.steps if step.kind == "train" and step.params.reward]
    assert [names(read_by(plan, one, "pairs")) for one in models] == [
        [f"partition {name} 1.8b-4b seed 0"] for name in CAPABILITIES
    ]
    assert {(one.params.reward.loss, one.params.reward.balanced) for one in models} == {("difference", False)}
    scores = [step for step in plan.steps if step.kind == "score"]
    assert [read_by(plan, one, "model") for one in scores] == [[model] for model in models]
    assert [names(read_by(plan, one, "votes")) for one in scores] == [
        [f"grade 1.8b labels {name} seed 0"] for name in CAPABILITIES
    ]
    selects = [step for step in plan.steps if step.name.startswith("select by reward")]
    assert [read_by(plan, one, "scores") for one in selects] == [[one] for one in scores]


def test_the_method_goes_on_from_wts_and_learns_only_what_the_reward_model_kept(reward_experiment) -> None:
    plan = plan_of(reward_experiment, rewardModel={"cutoff": 0.7})
    ours = training_of(plan, "selected-reward/")
    assert read_by(plan, ours, "model") == [training_of(plan, "wts/")]
    learnt = read_by(plan, ours, "examples")
    assert names(learnt) == [f"select by reward {name} 1.8b-4b seed 0" for name in CAPABILITIES]
    assert {item.file for item in ours.inputs["examples"]} == {"kept.parquet"}
    assert [(one.params.min_reward, one.params.threshold, one.params.draw) for one in learnt] == [(0.7, None, None)] * 3
    assert {one.params.require_valid for one in learnt} == {True}
    assert plan.step(plan.report).params.cutoff == 0.7


def test_random_draws_as_many_weak_labels_as_the_reward_model_kept(reward_experiment) -> None:
    plan = plan_of(reward_experiment, selections=["reward", "random"])
    kept = read_by(plan, training_of(plan, "selected-reward/"), "examples")
    drawn = read_by(plan, training_of(plan, "selected-random/"), "examples")
    assert read_by(plan, training_of(plan, "selected-random/"), "model") == [training_of(plan, "wts/")]
    for one, size in zip(drawn, kept, strict=True):
        assert read_by(plan, one, "size") == [size]
        assert one.inputs["votes"] == size.inputs["votes"]
        assert "scores" not in one.inputs
        assert (one.params.draw, one.params.min_reward) == (0, None)


def test_selections_by_confidence_read_votes_of_several_samples_and_both_asks_the_reward_model_too(
    reward_experiment,
) -> None:
    plan = plan_of(reward_experiment, selections=["confidence", "both"], confidenceThreshold=70)
    for rule, reads in (("confidence", None), ("both", 0.5)):
        for select in read_by(plan, training_of(plan, f"selected-{rule}/"), "examples"):
            (votes,) = read_by(plan, select, "votes")
            (samples,) = read_by(plan, votes, "samples")
            assert samples.params.sampling.samples == 10
            assert (select.params.threshold, select.params.min_reward) == (70, reads)
            for score in read_by(plan, select, "scores"):
                assert votes in read_by(plan, score, "votes")


def test_every_model_is_sampled_once_over_the_tests_of_all_capabilities_that_it_serves(reward_experiment) -> None:
    plan = plan_of(reward_experiment, ablations=["wts-single", "no-warm-up"])
    for point in plan.points:
        sampled = {plan.step(key).inputs["samples"][0].key for key in point.evaluations.values()}
        assert len(sampled) == (3 if point.role in ("weak", "wts-single") else 1), point.id
        for name, key in point.evaluations.items():
            assert names(read_by(plan, plan.step(key), "gold")) == [f"prepare {name} test gold"]
            assert names(read_by(plan, plan.step(key), "questions")) == [f"prepare {name} test questions"]


def test_bare_answers_are_taught_and_shown_where_a_dataset_says_so(reward_experiment) -> None:
    capabilities = reward_experiment().model_dump(mode="json", by_alias=True)["spec"]["capabilities"]
    capabilities[1]["dataset"]["completion"] = "answer"
    plan = compile_plan(reward_experiment(capabilities=capabilities, method__reward={"ablations": ["in-context"]}))
    taught = [step for step in plan.steps if step.kind == "prepare" and step.params.part == "gold"]
    assert {(s.params.task.family, s.params.completion) for s in taught} == {
        ("gsm8k", "text"),
        ("sciq", "answer"),
        ("scan", "text"),
    }


@pytest.mark.parametrize("field", ["weakTraining", "rewardModel"])
def test_teachers_and_reward_models_may_be_trained_in_their_own_way(reward_experiment, field: str) -> None:
    own = {"epochs": 5, "maxSeqLen": 99}
    plan = plan_of(reward_experiment, **{field: own if field == "weakTraining" else {"training": own}})
    apart = {step.role for step in plan.steps if step.kind == "train" and step.params.training.epochs == 5}
    assert apart == {"weak" if field == "weakTraining" else "reward-model"}
    (score,) = [step for step in plan.steps if step.kind == "score"]
    assert score.params.max_seq_len == (1024 if field == "weakTraining" else 99)
