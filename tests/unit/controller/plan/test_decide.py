"""(Plan, Observed) -> Decision."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.api.parse import parse_manifest
from controller.plan.compile import compile_plan
from controller.plan.decide import Observed, RetryPolicy, decide
from controller.plan.graph import Plan

MANIFEST = Path(__file__).parents[3] / "golden" / "plans" / "two-rounds.yaml"
PLAN = compile_plan(parse_manifest(MANIFEST.read_text(), "two-rounds"))
ALL = frozenset(step.key for step in PLAN.steps)


def key(name: str) -> str:
    (found,) = [step.key for step in PLAN.steps if step.name == name]
    return found


def names(keys) -> set[str]:
    return {PLAN.step(one).name for one in keys}


def ancestors(plan: Plan, start: str) -> set[str]:
    found, stack = set(), list(plan.dependencies(plan.step(start)))
    while stack:
        one = stack.pop()
        if one not in found:
            found.add(one)
            stack.extend(plan.dependencies(plan.step(one)))
    return found


def test_at_first_exactly_the_steps_that_read_nothing_start() -> None:
    decision = decide(PLAN, Observed())
    assert {step.kind for step in decision.start} == {"prepare"}
    assert len(decision.start) + len(decision.waiting) == len(PLAN.steps)


def test_with_the_report_done_there_is_nothing_to_do() -> None:
    decision = decide(PLAN, Observed(done={PLAN.report}))
    assert decision.finished
    assert decision.succeeded
    assert not decision.start


def test_a_finished_step_makes_those_before_it_unneeded() -> None:
    last = key("evaluate weak/seed0")
    before = ancestors(PLAN, last)
    others = set().union(*(ancestors(PLAN, p.evaluate) | {p.evaluate} for p in PLAN.points if p.role != "weak"))
    decision = decide(PLAN, Observed(done={last}))
    offered = {step.key for step in decision.start} | set(decision.waiting)
    assert not offered & (before - others - {i for s in PLAN.steps if s.kind == "report" for i in PLAN.dependencies(s)})


def test_the_step_with_the_most_work_behind_it_starts_first() -> None:
    decision = decide(PLAN, Observed())
    work = [PLAN.downstream_work(step) for step in decision.start]
    assert work == sorted(work, reverse=True)
    assert decision.start[0].name == "prepare labelled gold"


def test_a_running_step_is_not_started_again() -> None:
    first = decide(PLAN, Observed()).start[0]
    again = decide(PLAN, Observed(running={first.key}))
    assert first not in again.start
    assert not again.finished


def test_a_running_step_that_nothing_needs_is_stopped() -> None:
    first = PLAN.steps[0]
    assert decide(PLAN, Observed(done={PLAN.report}, running={first.key})).stop == (first.key,)


@pytest.mark.parametrize(
    ("codes", "gives_up", "why"),
    [
        ([42], True, "an input that can never work is not tried again"),
        ([1], False, "a crash may pass"),
        ([43, 43], False, "what was unavailable may be back"),
        ([1, 43, -9], True, "three attempts are charged"),
        ([143, -15, 143, 143], False, "interruptions are not charged"),
        ([1, 143, 1, 143], False, "only crashes count"),
        ([143, 42], True, "42 counts at any time"),
    ],
)
def test_exit_codes_decide_about_another_attempt(codes: list[int], gives_up: bool, why: str) -> None:
    first = PLAN.steps[0].key
    decision = decide(PLAN, Observed(failures={first: codes}))
    assert (first in decision.failed) is gives_up, why
    assert (first in {step.key for step in decision.start}) is not gives_up, why


def test_a_failed_step_rests_longer_each_time_and_not_after_an_interruption() -> None:
    policy = RetryPolicy(attempts=9, backoff_seconds=2, backoff_limit_seconds=10)
    first = PLAN.steps[0].key
    rests = [
        decide(PLAN, Observed(failures={first: codes}), policy).requeue_after.get(first, 0.0)
        for codes in ([1], [1, 43], [1, 43, 1], [1, 43, 1, 1], [1, 143])
    ]
    assert rests == [2, 4, 8, 10, 0]


def test_siblings_of_a_failed_step_go_on_and_what_needs_it_is_blocked() -> None:
    broken = key("train ceiling seed 0")
    ready = {step.key for step in PLAN.steps if step.kind == "prepare"} | {key("pretrain strong 1")}
    decision = decide(PLAN, Observed(done=ready, failures={broken: [42]}))
    assert decision.failed == (broken,)
    assert names(decision.blocked) == {"sample test, ceiling/seed0", "evaluate ceiling/seed0", "report"}
    assert not decision.finished
    assert decision.start


def test_a_failure_ends_the_run_only_when_nothing_else_can_run() -> None:
    broken = key("train ceiling seed 0")
    blocked = {key("sample test, ceiling/seed0"), key("evaluate ceiling/seed0"), PLAN.report}
    decision = decide(PLAN, Observed(done=ALL - blocked - {broken}, failures={broken: [42]}))
    assert decision.finished
    assert not decision.succeeded


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_order_of_outcomes_ends_and_runs_no_finished_step_again(seed: int) -> None:
    chance = random.Random(seed)
    done: set[str] = set()
    running: set[str] = set()
    failures: dict[str, list[int]] = {}
    for _ in range(5000):
        decision = decide(PLAN, Observed(done=done, running=running, failures=failures))
        assert not {step.key for step in decision.start} & (done | running)
        for step in decision.start:
            assert set(PLAN.dependencies(step)) <= done
        if decision.finished:
            break
        startable = [step.key for step in decision.start]
        if startable and (not running or chance.random() < 0.5):
            running.add(chance.choice(startable))
        elif running:
            ended = chance.choice(sorted(running))
            running.discard(ended)
            code = chance.choice([0, 0, 0, 0, 1, 43, 143, 42])
            if code == 0:
                done.add(ended)
            else:
                failures.setdefault(ended, []).append(code)
    assert decision.finished
    assert decision.succeeded == (not decision.failed)
    assert decision.succeeded == (PLAN.report in done)
    assert not set(decision.blocked) & done
