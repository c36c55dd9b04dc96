"""GPU-hours of method `reward` before anything runs."""

import pytest

from controller.plan.compile import compile_plan
from controller.plan.estimate import Estimate, estimate
from controller.plan.graph import Plan
from controller.plan.workload import REWARD_KEEPS, Workload
from w2s_jobs.contracts.families import FAMILIES

POOL = {"name": "h100", "gpu": "H100-80GB", "pricePerGpuHour": 2.0}
EVERYWHERE = {name: {"pool": "h100"} for name in ("weakSampling", "strongSampling", "training")}
ONE_PAIR = [{"weak": "1.8b", "strong": "4b"}]
UNLABELLED = {"gsm8k": 200, "sciq": 80, "scan": 90}
TEST = {"gsm8k": 50, "sciq": 40, "scan": 30}


def costs(reward_experiment, changes=None, **reward) -> tuple[Plan, Estimate, Workload]:
    manifest = reward_experiment(
        pools=[POOL], placement=EVERYWHERE, method__reward={"pairs": ONE_PAIR, **reward}, **(changes or {})
    )
    plan = compile_plan(manifest)
    return plan, estimate(plan, manifest.spec), Workload(plan, manifest.spec)


def tokens(of: dict[str, int], prompt: float = 1, completion: float = 0) -> float:
    """Add up rows times tokens, each family's its own."""
    return sum(
        rows * (prompt * FAMILIES[name].prompt_tokens + completion * FAMILIES[name].completion_tokens)
        for name, rows in of.items()
    )


def test_a_sampling_of_several_families_counts_each_row_by_its_own_family(reward_experiment) -> None:
    plan, _, work = costs(reward_experiment)
    (labels,) = [step for step in plan.steps if step.name.endswith("labels all")]
    (test,) = [step for step in plan.steps if step.name == "sample test, wts/1.8b-4b/seed0"]
    assert work.tokens(labels) == (tokens(UNLABELLED), tokens(UNLABELLED, 0, 1))
    assert work.tokens(test) == (tokens(TEST), tokens(TEST, 0, 1))


def test_examples_in_context_are_read_before_every_question(reward_experiment) -> None:
    plan, _, work = costs(reward_experiment, ablations=["in-context"], shots=4)
    (asked,) = [step for step in plan.steps if step.name == "sample test, in-context/4b/seed0"]
    assert work.tokens(asked) == (tokens(TEST, 1 + 4, 4), tokens(TEST, 0, 1))


def test_scoring_reads_question_and_label_and_writes_nothing(reward_experiment) -> None:
    plan, total, work = costs(reward_experiment)
    (score,) = [step for step in plan.steps if step.kind == "score"]
    assert work.tokens(score) == (tokens(UNLABELLED, 1, 1), 0.0)
    assert work.parameters(score) == 4e9
    assert 0 < total.steps[score.key].gpu_hours < 60 / 3600 * 1.2  # loading the model is most of it


def test_a_reward_model_learns_a_pair_for_each_question_and_a_selection_keeps_a_part(reward_experiment) -> None:
    plan, _, work = costs(reward_experiment, selections=["reward", "random"], rewardModel={"training": {"epochs": 1}})
    by_role = {step.role: step for step in plan.steps if step.kind == "train"}
    assert work.tokens(by_role["reward-model"]) == (0.0, tokens(UNLABELLED, 1, 1))
    wts = work.tokens(by_role["wts"])[1]
    selected = [work.tokens(s)[1] for s in plan.steps if s.role == "selected" and s.kind == "train"]
    assert wts == 2 * tokens(UNLABELLED, 1, 1)
    assert selected == pytest.approx([REWARD_KEEPS * wts] * 2)
    assert work.parameters(by_role["selected"]) == 4e9


def test_both_conditions_keep_less_than_either(reward_experiment) -> None:
    plan, _, work = costs(reward_experiment, selections=["reward", "confidence", "both"], confidenceThreshold=60)
    rows = dict.fromkeys(("reward", "confidence", "both"), 0.0)
    for step in plan.steps:
        if step.kind == "select" and step.name.startswith("select by"):
            rows[step.name.split()[2]] += work.rows(step)
    assert rows["both"] < min(rows["reward"], rows["confidence"])
    assert max(rows.values()) < sum(UNLABELLED.values())


def test_mixed_learns_twice_the_rows_and_a_model_a_capability_its_own_share(reward_experiment) -> None:
    plan, _, work = costs(reward_experiment, ablations=["mixed", "wts-single", "clean"], noise=[50])
    learnt = dict.fromkeys(("wts", "mixed", "wts-single", "clean", "noise"), 0.0)
    for step in plan.steps:
        if step.kind == "train" and step.role in learnt:
            learnt[step.role] += work.tokens(step)[1]
    assert learnt["mixed"] == 2 * learnt["wts"]
    assert learnt["wts-single"] == learnt["wts"]
    assert learnt["clean"] <= learnt["noise"] <= learnt["wts"]


def test_every_family_has_its_figures_among_the_assumptions(reward_experiment) -> None:
    _, total, _ = costs(reward_experiment)
    said = " ".join(total.assumptions)
    assert all(f"{name}: {FAMILIES[name].prompt_tokens} tokens a prompt" in said for name in UNLABELLED)
    assert "a reward model keeps 70%" in said


def test_a_chain_shares_and_is_priced(reward_experiment) -> None:
    _, total, _ = costs(reward_experiment, pairs=[], selections=["reward", "random"], ablations=["no-warm-up"])
    assert 0 < total.gpu_hours < 0.6 * total.gpu_hours_without_sharing
    assert total.price == pytest.approx(2 * total.gpu_hours)
    assert all(one.gpu_hours is not None for one in total.steps.values())


def test_a_model_of_the_chain_whose_size_nothing_tells_is_said_and_not_counted(reward_experiment) -> None:
    chain = reward_experiment().model_dump(mode="json", by_alias=True)["spec"]["models"]["chain"]
    chain[2]["source"]["hub"]["name"] = "org/mystery"
    plan, total, _ = costs(reward_experiment, {"models": {"chain": chain}})
    unknown = {step.kind for step in plan.steps if total.steps[step.key].gpu_hours is None}
    assert unknown == {"train", "sample", "score"}
    assert any("nothing tells the size" in warning for warning in total.warnings)
