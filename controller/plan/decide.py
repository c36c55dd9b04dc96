"""(Plan, Observed) -> Decision. Level-triggered: it never asks which event woke it, and has no clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from controller.plan.graph import Plan, Step
from w2s_jobs.contracts.errors import ExitCode

__all__ = ["Decision", "Observed", "RetryPolicy", "decide"]

_INTERRUPTED = frozenset({ExitCode.STOPPED.value, -15, -2, 130})
"""Exit codes of a step that was told to stop: by our contract, or by a signal before it could say so."""


@dataclass(frozen=True)
class Observed:
    """What is true now: the store tells what is done, the executor what runs and what failed."""

    done: AbstractSet[str] = frozenset()
    """keys of the steps that have a result"""
    running: AbstractSet[str] = frozenset()
    """keys of the steps that have a process"""
    failures: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """exit codes of attempts that ended without a result by step key, oldest first"""


@dataclass(frozen=True)
class RetryPolicy:
    """How often a step that may succeed is tried, and how long it rests before."""

    attempts: int = 3
    """attempts that are charged, the first one included"""
    backoff_seconds: float = 1.0
    """rest after the first charged failure; each further one doubles it"""
    backoff_limit_seconds: float = 60.0

    def rest(self, codes: Sequence[int]) -> float:
        """Return the seconds to rest after the last of these failures; 0 after an interruption."""
        if not codes or codes[-1] in _INTERRUPTED:
            return 0.0
        return min(self.backoff_limit_seconds, self.backoff_seconds * 2.0 ** (_charged(codes) - 1))

    def gives_up(self, codes: Sequence[int]) -> bool:
        """Tell whether a step with these failures has failed for good."""
        return ExitCode.INPUT.value in codes or _charged(codes) >= self.attempts


@dataclass(frozen=True)
class Decision:
    """What to do next, and how things stand."""

    start: tuple[Step, ...]
    """steps that can run now, the one with the most work behind it first"""
    stop: tuple[str, ...]
    """keys of running steps that nothing needs any more"""
    requeue_after: Mapping[str, float]
    """seconds that a step of `start` rests, counted from its last failure"""
    waiting: tuple[str, ...]
    """keys of the steps that wait for others"""
    failed: tuple[str, ...]
    """keys of the steps that failed for good"""
    blocked: tuple[str, ...]
    """keys of the steps that can never run, because one that they need failed"""
    finished: bool
    """nothing runs and nothing can start"""
    succeeded: bool
    """the report is there"""


def decide(plan: Plan, observed: Observed, policy: RetryPolicy | None = None) -> Decision:
    """Decide which steps start now.

    Only steps that the missing results still need are looked at: with the report done there is nothing to do, and a
    finished step makes those before it unneeded. A failed step fails the experiment only when nothing else can run.
    """
    policy = policy or RetryPolicy()
    needed = _needed(plan, observed.done)
    failed = [
        step.key
        for step in needed
        if step.key not in observed.running and policy.gives_up(observed.failures.get(step.key, ()))
    ]
    blocked = _blocked(plan, needed, failed)
    out = {*failed, *blocked}
    start: list[Step] = []
    waiting: list[str] = []
    for step in needed:
        if step.key in out or step.key in observed.running:
            continue
        if all(key in observed.done for key in plan.dependencies(step)):
            start.append(step)
        else:
            waiting.append(step.key)
    start.sort(key=lambda step: (-plan.downstream_work(step), plan.position(step)))
    wanted = {step.key for step in needed}
    return Decision(
        start=tuple(start),
        stop=tuple(sorted(observed.running - wanted)),
        requeue_after={
            step.key: rest for step in start if (rest := policy.rest(observed.failures.get(step.key, ()))) > 0
        },
        waiting=tuple(waiting),
        failed=tuple(failed),
        blocked=tuple(blocked),
        finished=not start and not observed.running,
        succeeded=plan.report in observed.done,
    )


def _charged(codes: Sequence[int]) -> int:
    return sum(code not in _INTERRUPTED for code in codes)


def _needed(plan: Plan, done: AbstractSet[str]) -> list[Step]:
    """List the steps, in the order of the plan, whose results are missing and lead to the report."""
    found: set[str] = set()
    stack = [plan.report]
    while stack:
        key = stack.pop()
        if key in done or key in found:
            continue
        found.add(key)
        stack.extend(plan.dependencies(plan.step(key)))
    return [step for step in plan.steps if step.key in found]


def _blocked(plan: Plan, needed: Sequence[Step], failed: Sequence[str]) -> list[str]:
    """List the needed steps that have a failed one among those they need."""
    lost = set(failed)

    def walk() -> Iterator[str]:
        for step in needed:  # in topological order, so one pass reaches every descendant
            if step.key not in lost and any(key in lost for key in plan.dependencies(step)):
                lost.add(step.key)
                yield step.key

    return list(walk())
