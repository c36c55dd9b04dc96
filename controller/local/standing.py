"""How things stand in a run: what was done before, what this run did, and what went wrong."""

from __future__ import annotations

import signal
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from controller.local.view import Counts, Failure
from controller.plan.decide import Decision, Observed
from controller.plan.graph import Plan
from w2s_jobs.contracts.errors import ExitCode

__all__ = ["Outcome", "Standing"]


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    counts: Counts
    failures: tuple[Failure, ...] = ()
    """last failure of each step that failed for good"""
    blocked: tuple[str, ...] = ()
    """names of the steps that could not run because of them"""
    stopped_by: signal.Signals | None = None
    saved: tuple[str, ...] = ()
    """what the steps that were stopped said they had saved"""
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0, 130 or 143 after Ctrl-C or SIGTERM, 42 or 43 if every failure is of that class, else 1."""
        if self.stopped_by is not None:
            return 128 + self.stopped_by
        codes = {failure.exit_code for failure in self.failures}
        if not codes:
            return ExitCode.DONE
        return codes.pop() if codes in ({ExitCode.INPUT}, {ExitCode.DEPENDENCY}) else ExitCode.CRASHED


@dataclass
class Standing:
    """What is known of each step by its key. `decide` is asked with it, and views are drawn from it."""

    plan: Plan
    reused: set[str] = field(default_factory=set)
    """done before this run"""
    computed: set[str] = field(default_factory=set)
    """done by this run"""
    exit_codes: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """exit codes of attempts that left no result, oldest first"""
    last_failure: dict[str, Failure] = field(default_factory=dict)

    def observed(self, running: Iterable[str]) -> Observed:
        """Build what `decide` looks at."""
        return Observed(done=self.reused | self.computed, running=set(running), failures=self.exit_codes)

    def counts(self, decision: Decision, running: AbstractSet[str], queued: AbstractSet[str]) -> Counts:
        """Count the steps; those that nothing needs any more are left out."""
        lost = {*decision.failed, *decision.blocked}
        ahead = {*(step.key for step in decision.start), *decision.waiting, *running, *queued} - lost - self.computed
        return Counts(
            computed=len(self.computed),
            reused=len(self.reused),
            running=len(ahead & running),
            waiting=len(ahead - running),
            failed=len(decision.failed),
            blocked=len(decision.blocked),
        )

    def outcome(self, decision: Decision, counts: Counts, seconds: float) -> Outcome:
        """Build the outcome of a run that nobody stopped."""
        return Outcome(
            counts=counts,
            failures=tuple(self.last_failure[key] for key in decision.failed),
            blocked=tuple(self.plan.step(key).name for key in decision.blocked),
            seconds=seconds,
        )
