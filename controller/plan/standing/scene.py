"""Everything that a status is projected from: the experiment, its plan, and what the cluster and the store show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from controller.api.reasons import WaitReason
from controller.plan.decide import Decision, Observed
from controller.plan.graph import Plan, Step
from controller.plan.standing.conditions import Situation
from controller.plan.standing.observe import JobPhase, JobState
from controller.plan.standing.outcomes import Report, StepOutcome
from controller.plan.standing.pods import active
from controller.plan.standing.quota import asks_for, exceeded
from controller.plan.standing.refusals import Refusal, refused_words
from controller.plan.standing.waiting import Wait, Waiter, explain
from w2s_jobs.contracts.artifact import Progress

__all__ = ["About", "Scene"]

Pods = Sequence[Mapping[str, Any]]
_REFUSED = (WaitReason.QUOTA, WaitReason.CONFIGURATION, WaitReason.POD_REFUSED)


@dataclass(frozen=True)
class About:
    """The experiment that the status is of."""

    name: str
    namespace: str
    uid: str
    generation: int
    created: str
    """creationTimestamp (RFC 3339)"""
    suspend: bool = False
    max_parallel_steps: int | None = None
    store: str | None = None
    """the store's URI"""


@dataclass(frozen=True)
class Scene:
    """What is known in one pass. Nothing in it is remembered from an earlier one."""

    plan: Plan
    observed: Observed
    decision: Decision
    jobs: Mapping[str, JobState] = field(default_factory=dict)
    """Jobs by key (`read_jobs`)"""
    pods: Mapping[str, Pods] = field(default_factory=dict)
    """pods by uid of their Job (`pods_by_job`)"""
    workloads: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Kueue's Workloads by uid of their Job"""
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    """refused pods by uid of their Job (`refusals_by_job`)"""
    refused: Mapping[str, str] = field(default_factory=dict)
    """what the API server said when it refused a Job, by key"""
    progress: Mapping[str, Progress] = field(default_factory=dict)
    """progress of running steps by key"""
    outcomes: Mapping[str, StepOutcome] = field(default_factory=dict)
    """results of finished steps by key"""
    report: Report | None = None
    trouble: Situation | None = None
    """what holds above all that the steps tell: StoreUnavailable, DeadlineExceeded"""

    def pods_of(self, key: str) -> Pods:
        """Return the pods of a step's Job."""
        state = self.jobs.get(key)
        return self.pods.get(state.uid, ()) if state else ()

    def ours(self, uid: str) -> frozenset[str]:
        """Keys of the steps whose Job this experiment owns, alone or with others."""
        return frozenset(key for key, state in self.jobs.items() if uid in state.owners)

    @cached_property
    def running(self) -> tuple[str, ...]:
        """Keys of the needed steps with a running pod, in the order of the plan."""
        return tuple(key for key in self._open if self._runs(key))

    @cached_property
    def waiting(self) -> tuple[str, ...]:
        """Keys of the needed steps that neither run nor failed, in the order of the plan."""
        return tuple(key for key in self._open if not self._runs(key))

    def wait(self, step: Step, limit: int | None) -> Wait:
        """Say why a step waits; `limit` is spec.maxParallelSteps."""
        state = self.jobs.get(step.key)
        uid = state.uid if state else ""
        return explain(
            Waiter(
                job=state,
                pods=self.pods_of(step.key),
                workload=self.workloads.get(uid),
                refusal=self.refusals.get(uid),
                refused=self.refused.get(step.key),
                unmet=self._unmet(step) if state is None else (),
                limit=limit if self._beyond(step, limit) else None,
                quota=self._words_of_quota if state is None and asks_for(step, self.full) else None,
            )
        )

    @cached_property
    def held_by_quota(self) -> tuple[str, ...]:
        """Keys of the steps whose Job a quota refuses pods, the oldest Job first."""
        found = [key for key in self.waiting if self._exceeded(key)]
        return tuple(sorted(found, key=lambda key: (self.jobs[key].created, self.jobs[key].name)))

    @cached_property
    def full(self) -> frozenset[str]:
        """Resources that these Jobs wait for."""
        return frozenset().union(*(self._exceeded(key) for key in self.held_by_quota))

    @cached_property
    def without_pods(self) -> frozenset[str]:
        """Keys of the steps whose Job wants its first pods and has none yet, for want of room or of a moment."""
        pending = [key for key, state in self.jobs.items() if state.phase is JobPhase.PENDING and state.attempts == 1]
        return frozenset(key for key in pending if not active(self.pods_of(key)) and not self._refused_otherwise(key))

    @cached_property
    def surplus(self) -> frozenset[str]:
        """Keys of the steps whose Job only waits behind an older one for the same quota, and has tried nothing yet."""
        found, before = set(), set[str]()
        for key in self.held_by_quota:
            if self._exceeded(key) & before and key in self.without_pods and not self.pods_of(key):
                found.add(key)
            before |= self._exceeded(key)
        return frozenset(found)

    @cached_property
    def _open(self) -> tuple[str, ...]:
        """Keys of the steps that are needed and have not failed: to start, held by others, or with a Job."""
        out = {*self.decision.failed, *self.decision.blocked, *self.decision.stop}
        keys = {*(step.key for step in self.decision.start), *self.decision.waiting, *self.observed.running}
        return tuple(step.key for step in self.plan.steps if step.key in keys and step.key not in out)

    @cached_property
    def _turn(self) -> Mapping[str, int]:
        return {step.key: place for place, step in enumerate(self.decision.start)}

    def _beyond(self, step: Step, limit: int | None) -> bool:
        """Tell whether a step that could start finds no room: those before it take what is left of the limit."""
        if limit is None or step.key not in self._turn:
            return False
        return self._turn[step.key] >= limit - len(self.observed.running)

    @cached_property
    def _words_of_quota(self) -> str | None:
        return refused_words(self._refusal(self.held_by_quota[0])) if self.held_by_quota else None

    def _exceeded(self, key: str) -> frozenset[str]:
        """Return of what a quota has too little left for the pods of a step's Job."""
        message = self._refusal(key)
        return exceeded(message) if message else frozenset()

    def _refused_otherwise(self, key: str) -> bool:
        return bool(self._refusal(key)) and not self._exceeded(key)

    def _refusal(self, key: str) -> str:
        """Return why pods of a step's Job are refused now; nothing of most steps."""
        state = self.jobs.get(key)
        refusal = self.refusals.get(state.uid) if state else None
        if refusal is None:
            return ""
        wait = explain(Waiter(job=state, pods=self.pods_of(key), refusal=refusal))
        return refusal.message if wait.reason in _REFUSED else ""

    def _unmet(self, step: Step) -> tuple[str, ...]:
        if step.key in self._turn:
            return ()
        plan, done = self.plan, self.observed.done
        return tuple(plan.step(key).name for key in plan.dependencies(step) if key not in done)

    def _runs(self, key: str) -> bool:
        state = self.jobs.get(key)
        return state is not None and state.phase is JobPhase.RUNNING


def failed_for_good(state: JobState | None) -> str:
    """Return the words of a step that failed for good."""
    if state is None:
        return ""
    if state.phase is JobPhase.COMPLETE:
        return (
            f"Job {state.name} is complete, but its result never came to the store that the controller reads: "
            "check that workers and controller name the same store"
        )
    return state.message
