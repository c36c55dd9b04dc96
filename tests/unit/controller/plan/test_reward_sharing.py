"""Method `reward` -> Plan: nothing is done twice in a chain, and nothing that differs is taken for the same."""

from collections import Counter
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.plan.compile import compile_plan
from controller.plan.graph import Plan
from tests.support.reward_plans import names, point_of, read_by

ALL_PAIRS = [{"weak": weak, "strong": strong} for weak, strong in combinations(("0.5b", "1.8b", "4b"), 2)]


def trained(plan: Plan) -> Counter[str]:
    return Counter(step.role for step in plan.steps if step.kind == "train")


def test_each_model_of_a_chain_teaches_the_next(reward_experiment) -> None:
    plan = compile_plan(reward_experiment())
    assert [p.id for p in plan.points] == [
        "weak/0.5b/seed0",
        "ceiling/1.8b/seed0",
        "wts/0.5b-1.8b/seed0",
        "selected-reward/0.5b-1.8b/seed0",
        "weak/1.8b/seed0",
        "ceiling/4b/seed0",
        "wts/1.8b-4b/seed0",
        "selected-reward/1.8b-4b/seed0",
    ]


def test_all_pairs_of_three_models_share_teachers_ceilings_and_weak_labels(reward_experiment) -> None:
    plan = compile_plan(reward_experiment(method__reward={"pairs": ALL_PAIRS}))
    assert [p.id for p in plan.points if p.weak is None] == [
        "weak/0.5b/seed0",
        "ceiling/1.8b/seed0",
        "ceiling/4b/seed0",
        "weak/1.8b/seed0",
    ]
    assert trained(plan) == {"weak": 2 * 3, "ceiling": 2, "wts": 3, "reward-model": 3, "selected": 3}
    labelled = [step.name for step in plan.steps if step.kind == "sample" and " labels " in step.name]
    assert Counter(name.split()[0] for name in labelled) == {"0.5b": 3, "1.8b": 3, "wts": 3}
    small = [point_of(plan, f"wts/0.5b-{strong}").learnt for strong in ("1.8b", "4b")]
    assert small[0] == small[1]


def test_an_untouched_model_asked_in_context_is_one_point_whoever_teaches_it(reward_experiment) -> None:
    plan = compile_plan(reward_experiment(method__reward={"pairs": ALL_PAIRS, "ablations": ["in-context"]}))
    assert [p.id for p in plan.points if p.role == "in-context"] == ["in-context/1.8b/seed0", "in-context/4b/seed0"]


def test_a_weakened_chain_shares_the_labels_of_the_smaller_teacher(reward_experiment) -> None:
    plain = compile_plan(reward_experiment())
    plan = compile_plan(reward_experiment(method__reward={"weakened": [["sciq"]]}))
    added = [step for step in plan.steps if step.key not in plain.by_key and step.kind != "survey"]
    assert [(step.kind, step.role) for step in added] == [
        ("train", "weakened"),
        ("sample", "strong"),
        *[("evaluate", "weakened")] * 3,
    ]


def test_weakening_every_capability_is_the_wts_of_the_smaller_teacher_and_trained_once(reward_experiment) -> None:
    every = [["gsm8k", "sciq", "scan"]]
    plan = compile_plan(reward_experiment(method__reward={"pairs": ALL_PAIRS, "weakened": every}))
    assert point_of(plan, "weakened-gsm8k+sciq+scan/1.8b-4b").trains == point_of(plan, "wts/0.5b-4b").trains


def test_seeds_change_every_training_and_leave_data_and_untouched_models_alone(reward_experiment) -> None:
    method = {"selections": ["reward", "random"], "ablations": ["in-context", "clean"]}
    one = compile_plan(reward_experiment(method__reward=method))
    two = compile_plan(reward_experiment(method__reward=method, seeds=[0, 1]))
    kinds = [Counter(step.kind for step in plan.steps) for plan in (one, two)]
    assert kinds[1]["prepare"] == kinds[0]["prepare"]
    assert kinds[1]["train"] == 2 * kinds[0]["train"]
    untouched = [p for p in two.points if p.id.startswith("in-context/4b")]
    assert [p.seed for p in untouched] == [0, 1]
    assert untouched[0].evaluations == untouched[1].evaluations
    draws = {step.params.draw for step in two.steps if step.name.startswith("select by random")}
    assert draws == {0, 1}


def test_one_task_with_its_dataset_works_as_the_one_capability(reward_experiment, experiment) -> None:
    whole = reward_experiment().model_dump(mode="json", by_alias=True)["spec"]
    (first, *_) = whole["capabilities"]
    chain = {"chain": whole["models"]["chain"]}
    method = {"reward": {"ablations": ["wts-single", "wts-2", "mixed", "in-context"], "noise": [50]}}
    plan = compile_plan(experiment(dataset=first["dataset"], models=chain, method=method))
    assert {tuple(p.evaluations) for p in plan.points} == {("gsm8k",)}
    # One model a capability is one model, and that is WTS: trained once, two points.
    assert point_of(plan, "wts-single/1.8b-4b").trains == point_of(plan, "wts/1.8b-4b").trains


def test_the_report_reads_what_its_parameters_name_and_nothing_twice(reward_experiment) -> None:
    method = {"selections": ["reward", "random"], "ablations": ["wts-2", "clean", "wts-single"], "noise": [30]}
    plan = compile_plan(reward_experiment(method__reward=method))
    report = plan.step(plan.report)
    params = report.params
    assert params.models == ("0.5b", "1.8b", "4b")
    assert [one.name for one in params.capabilities] == ["gsm8k", "sciq", "scan"]
    read = {role: [item.key for item in items] for role, items in report.inputs.items()}
    assert all(len(keys) == len(set(keys)) for keys in read.values())
    assert set(read["gold"]) == {one.gold for one in params.capabilities}
    assert set(read["scored"]) == {key for point in params.points for key in point.evaluations.values()}
    named = {key for point in params.points for key in point.learnt.values()}
    assert named <= set(read["kept"])
    for one in params.relabelled:
        assert {one.weak_votes, one.strong_votes, one.second_votes} <= set(read["votes"])
        assert one.scores in read["scores"]
        assert set(one.kept.values()) <= set(read["kept"])
        assert one.kept.keys() == {"reward", "random"}
    assert len(params.relabelled) == 2 * 3


def test_what_only_the_report_needs_is_labelled_though_no_model_learns_from_it(reward_experiment) -> None:
    method = {"selections": ["confidence"], "confidenceThreshold": 60, "baselines": []}
    plan = compile_plan(reward_experiment(method__reward=method))
    assert not [step for step in plan.steps if step.kind in ("score", "partition")]
    for one in plan.step(plan.report).params.relabelled:
        assert one.scores is None
        assert names(read_by(plan, plan.step(one.strong_votes), "samples"))


def test_the_trainings_of_the_papers_chain_are_those_counted_by_hand(reward_experiment) -> None:
    """4 models, 8 capabilities, figures 1 to 12 and tables 2 and 3, for the three adjacent pairs."""
    revision = "0123456789abcdef0123456789abcdef01234567"
    names_of = ["gsm8k", "mctaco", "scan", "creak", "ecqa", "esnli", "openbookqa", "sciq"]
    splits = {"labelled": 100, "unlabelled": 100, "test": 50}
    capabilities = [
        {
            "name": name,
            "task": {"family": name},
            "dataset": {"source": {"hub": {"name": f"org/{name}", "revision": revision}}, "splits": splits},
        }
        for name in names_of
    ]
    chain = [
        {"name": size, "source": {"hub": {"name": f"org/m-{size}", "revision": revision}}}
        for size in ("0.5b", "1.8b", "4b", "7b")
    ]
    reward = {
        "selections": ["reward", "random"],
        "ablations": ["wts-single", "wts-2", "mixed", "clean", "no-warm-up", "in-context"],
        "noise": [20, 40],
        "weakened": [["gsm8k"], ["ecqa", "esnli"]],
        "removed": [["gsm8k"], ["ecqa", "esnli"]],
    }
    plan = compile_plan(reward_experiment(capabilities=capabilities, models={"chain": chain}, method__reward=reward))
    assert trained(plan) == {
        "weak": 3 * 8,
        "ceiling": 3,
        "wts": 3,
        "wts-single": 3 * 8,
        "wts-2": 3,
        "mixed": 3,
        "reward-model": 3,
        "selected": 3 * 2,
        "no-warm-up": 3,
        "clean": 3,
        "noise": 3 * 2,
        "weakened": 2 * 2,  # the smallest model has none below it
        "removed": 3 * 2,
    }
    assert Counter(p.role for p in plan.points)["in-context"] == 3
    labelled = 3 * 8 + 3 + 3  # weak models, WTS, WTS-2
    tested = 3 * 8 + 3 + 3 + 3 * 8 + 3 + 3 + 3 * 2 + 3 + 3 + 3 * 2 + 2 * 2 + 3 * 2 + 3
    assert Counter(step.kind for step in plan.steps)["sample"] == labelled + tested


ablations = st.lists(
    st.sampled_from(["wts-single", "wts-2", "mixed", "clean", "no-warm-up", "in-context"]), unique=True
)
sets = st.lists(st.sampled_from([["gsm8k"], ["sciq", "scan"], ["scan"]]), unique_by=tuple, max_size=2)


@settings(max_examples=25)
@given(
    pairs=st.lists(st.sampled_from(ALL_PAIRS), unique_by=str),
    ablations=ablations,
    removed=sets,
    weakened=sets,
    noise=st.lists(st.integers(0, 100), unique=True, max_size=2).map(sorted),
    per_capability=st.booleans(),
    seeds=st.lists(st.integers(0, 9), min_size=1, max_size=2, unique=True),
)
def test_whatever_is_asked_for_every_step_comes_after_what_it_reads_and_every_point_has_one_name(
    reward_experiment, *, pairs, ablations, removed, weakened, noise, per_capability, seeds
) -> None:
    only_smallest = bool(pairs) and all(pair["weak"] == "0.5b" for pair in pairs)
    reward = {
        "pairs": pairs,
        "selections": ["reward", "random"],
        "ablations": ablations,
        "removed": removed,
        "weakened": [] if only_smallest else weakened,
        "noise": noise,
        "rewardModel": {"perCapability": per_capability},
    }
    plan = compile_plan(reward_experiment(method__reward=reward, seeds=seeds))
    seen: set[str] = set()
    for step in plan.steps:
        assert set(plan.dependencies(step)) <= seen
        seen.add(step.key)
    assert len({p.id for p in plan.points}) == len(plan.points)
    again = compile_plan(reward_experiment(method__reward=reward, seeds=seeds))
    assert plan.canonical() == again.canonical()
