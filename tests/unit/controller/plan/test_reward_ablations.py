"""Method `reward` -> Plan: the ablations and analyses."""

from tests.support.reward_plans import (
    CAPABILITIES,
    all_below,
    names,
    plan_of,
    point_of,
    read_by,
    starts_from_the_untouched_model,
    training_of,
)


def test_without_warm_up_the_same_selection_is_learnt_by_the_untouched_model(reward_experiment) -> None:
    plan = plan_of(reward_experiment, ablations=["no-warm-up"])
    cold = training_of(plan, "no-warm-up/")
    assert starts_from_the_untouched_model(cold, "4B")
    assert cold.inputs["examples"] == training_of(plan, "selected-reward/").inputs["examples"]


def test_one_model_a_capability_learns_only_its_own_weak_labels(reward_experiment) -> None:
    plan = plan_of(reward_experiment, ablations=["wts-single"])
    trained = [plan.step(key) for key in point_of(plan, "wts-single/").trains]
    assert [names(read_by(plan, step, "examples")) for step in trained] == [
        [f"all 1.8b labels seed 0 of {name}"] for name in CAPABILITIES
    ]
    assert all(starts_from_the_untouched_model(step, "4B") for step in trained)


def test_self_bootstrapping_learns_the_labels_of_wts_and_relabels_for_the_report(reward_experiment) -> None:
    plan = plan_of(reward_experiment, ablations=["wts-2"])
    second = training_of(plan, "wts-2/")
    assert names(read_by(plan, second, "examples")) == [
        f"all wts 1.8b-4b seed 0 labels of {name}" for name in CAPABILITIES
    ]
    assert starts_from_the_untouched_model(second, "4B")
    for one in plan.step(plan.report).params.relabelled:
        (samples,) = read_by(plan, plan.step(one.second_votes), "samples")
        assert read_by(plan, samples, "model") == [second]


def test_mixed_learns_each_question_twice_and_says_so(reward_experiment) -> None:
    plan = plan_of(reward_experiment, ablations=["mixed", "wts-2"])
    mixed = training_of(plan, "mixed/")
    weak, strong = training_of(plan, "wts/"), training_of(plan, "wts-2/")
    assert mixed.inputs["examples"] == weak.inputs["examples"] + strong.inputs["examples"]
    assert [step.name for step in plan.steps if step.kind == "train" and step.params.repeats] == [mixed.name]


def test_clean_and_noise_are_the_only_models_beside_the_ceiling_that_rest_on_gold(reward_experiment) -> None:
    plan = plan_of(reward_experiment, ablations=["clean"], noise=[20, 40])
    gold = {step.key for step in plan.steps if step.name.endswith("unlabelled gold")}
    resting = {p.id.split("/")[0] for p in plan.points if any(all_below(plan, key) & gold for key in p.trains)}
    assert resting == {"ceiling", "clean", "noise-20", "noise-40"}
    shares = [step.params.noise for step in plan.steps if step.kind == "clean"]
    assert shares == [0, 0, 0, 20, 20, 20, 40, 40, 40]
    assert starts_from_the_untouched_model(training_of(plan, "noise-20/"), "4B")


def test_weakened_capabilities_alone_are_labelled_by_the_model_below_the_teacher(reward_experiment) -> None:
    plan = plan_of(reward_experiment, weakened=[["sciq"], ["gsm8k", "scan"]])
    assert names(read_by(plan, training_of(plan, "weakened-sciq/"), "examples")) == [
        "all 1.8b labels seed 0 of gsm8k",
        "all 0.5b labels seed 0 of sciq",
        "all 1.8b labels seed 0 of scan",
    ]
    assert names(read_by(plan, training_of(plan, "weakened-gsm8k+scan/"), "examples")) == [
        "all 0.5b labels seed 0 of gsm8k",
        "all 1.8b labels seed 0 of sciq",
        "all 0.5b labels seed 0 of scan",
    ]
    assert point_of(plan, "weakened-sciq/").evaluations.keys() == set(CAPABILITIES)


def test_the_smallest_teacher_has_no_model_below_it_and_the_others_are_weakened(reward_experiment) -> None:
    plan = plan_of(reward_experiment, pairs=[], weakened=[["sciq"]])
    assert [p.id for p in plan.points if p.role == "weakened"] == ["weakened-sciq/1.8b-4b/seed0"]


def test_removed_capabilities_are_not_learnt_and_still_evaluated(reward_experiment) -> None:
    plan = plan_of(reward_experiment, removed=[["gsm8k", "scan"]])
    point = point_of(plan, "removed-gsm8k+scan/")
    assert names(read_by(plan, training_of(plan, "removed-"), "examples")) == ["all 1.8b labels seed 0 of sciq"]
    assert point.learnt.keys() == {"sciq"}
    assert point.evaluations.keys() == set(CAPABILITIES)


def test_in_context_the_untouched_model_sees_labelled_examples_of_the_capability_it_is_asked_about(
    reward_experiment,
) -> None:
    plan = plan_of(reward_experiment, ablations=["in-context"], shots=5)
    point = point_of(plan, "in-context/4b")
    assert point.trains == ()
    evaluated = [plan.step(key) for key in point.evaluations.values()]
    (sampled,) = {step for one in evaluated for step in read_by(plan, one, "samples")}
    assert starts_from_the_untouched_model(sampled, "4B")
    assert sampled.params.shots == 5
    assert names(read_by(plan, sampled, "questions")) == [f"prepare {name} test questions" for name in CAPABILITIES]
    assert names(read_by(plan, sampled, "shots")) == [f"prepare {name} labelled gold" for name in CAPABILITIES]
