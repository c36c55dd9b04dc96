"""What the controller writes into an experiment's status: a projection of the cluster and the store, never a memory.

Delete it and the next pass writes it again. Lists are bounded, so that 2,000 steps stay under 200 kB.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from controller.api.reasons import ConditionType, WaitReason
from w2s_jobs.contracts.model import Contract

__all__ = [
    "Condition",
    "ExperimentStatus",
    "FailedStep",
    "PointStatus",
    "Results",
    "RunningStep",
    "StepCounts",
    "WaitingStep",
]

MOST_RUNNING = 50
MOST_WAITING = 50
MOST_FAILED = 20
MOST_POINTS = 200
LONGEST_MESSAGE = 1024


class Condition(Contract):
    """One condition, as Kubernetes writes them."""

    type: ConditionType
    """type of the condition"""
    status: Literal["True", "False", "Unknown"]
    """status: True, False or Unknown"""
    reason: str = Field(pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", max_length=64)
    """reason in one word, from docs/status.md"""
    message: str = Field(default="", max_length=LONGEST_MESSAGE)
    """message for a person, with the next thing to do"""
    observed_generation: int = Field(default=0, ge=0)
    """observedGeneration of the spec that this is about"""
    last_transition_time: str = Field(max_length=32)
    """lastTransitionTime, when status changed (RFC 3339)"""


class StepCounts(Contract):
    """How many steps are in which state; they add up to total."""

    total: int = Field(default=0, ge=0)
    """total of the plan"""
    done: int = Field(default=0, ge=0)
    """done: their artifact is in the store, or nothing needs them any more"""
    reused: int = Field(default=0, ge=0)
    """reused: those of done that this experiment ran no Job for: they existed, or something that existed made them
    unneeded"""
    running: int = Field(default=0, ge=0)
    """running: a pod of theirs runs"""
    waiting: int = Field(default=0, ge=0)
    """waiting for others, for room, or for a person"""
    failed: int = Field(default=0, ge=0)
    """failed for good"""
    blocked: int = Field(default=0, ge=0)
    """blocked by a failed one"""


class RunningStep(Contract):
    """A step with a running pod."""

    name: str = Field(max_length=200)
    """name in plans"""
    job: str = Field(max_length=63)
    """job that runs it"""
    started: str | None = Field(default=None, max_length=32)
    """started at (RFC 3339)"""
    pods: int = Field(default=1, ge=0)
    """pods that run"""
    attempts: int = Field(default=1, ge=1)
    """attempts, this one included; evictions and lost nodes are not counted"""
    done: int | None = Field(default=None, ge=0)
    """done units of total"""
    total: int | None = Field(default=None, ge=0)
    """total units"""
    unit: str | None = Field(default=None, max_length=32)
    """unit: rows, steps, files"""
    rate: float | None = None
    """rate in units a second"""


class WaitingStep(Contract):
    """A step that does not run, and why."""

    name: str = Field(max_length=200)
    """name in plans"""
    job: str | None = Field(default=None, max_length=63)
    """job that waits, if there is one"""
    attempts: int = Field(default=1, ge=1)
    """attempts, the next one included; evictions and lost nodes are not counted"""
    reason: WaitReason
    """reason in one word, from docs/status.md"""
    message: str = Field(default="", max_length=LONGEST_MESSAGE)
    """message: the scheduler's, the queue's or the kubelet's own words"""


class FailedStep(Contract):
    """A step that failed for good."""

    name: str = Field(max_length=200)
    """name in plans"""
    job: str | None = Field(default=None, max_length=63)
    """job that failed; delete it to try again"""
    exit_code: int | None = None
    """exitCode of the last attempt"""
    message: str = Field(default="", max_length=LONGEST_MESSAGE)
    """message: the last words of the step, or why the Job failed"""


class PointStatus(Contract):
    """One model of the report, as soon as it is measured."""

    id: str = Field(max_length=200)
    """id in the report"""
    accuracy: float | None = None
    """accuracy on the test split (0..1)"""
    pgr: float | None = None
    """pgr as the report says; null until it is there, or where the gap is empty"""


class Results(Contract):
    """What is known of the outcome."""

    best_pgr: str | None = Field(default=None, max_length=32)
    """bestPgr of the report, as text such as `0.69`; the printer column"""
    headline: str | None = Field(default=None, max_length=LONGEST_MESSAGE)
    """headline of the report"""
    points: tuple[PointStatus, ...] = Field(default=(), max_length=MOST_POINTS)
    """points in the report's order; the report has all"""
    report: str | None = Field(default=None, max_length=2000)
    """report's URI"""


class ExperimentStatus(Contract):
    """The status."""

    conditions: tuple[Condition, ...] = Field(default=(), max_length=8)
    """conditions by type"""
    observed_generation: int | None = Field(default=None, ge=0)
    """observedGeneration of the spec"""
    progress: str = Field(default="", max_length=32)
    """progress as done/total; the printer column"""
    started: str | None = Field(default=None, max_length=32)
    """started: when the first pass compiled it (RFC 3339)"""
    finished: str | None = Field(default=None, max_length=32)
    """finished: when it ended"""
    steps: StepCounts = StepCounts()
    """steps by state"""
    running: tuple[RunningStep, ...] = Field(default=(), max_length=MOST_RUNNING)
    """running steps, the longest-running first"""
    waiting: tuple[WaitingStep, ...] = Field(default=(), max_length=MOST_WAITING)
    """waiting steps, those that need a person first, those that wait for other steps last"""
    failed: tuple[FailedStep, ...] = Field(default=(), max_length=MOST_FAILED)
    """failed steps"""
    results: Results = Results()
    """results as they arrive"""
    gpu_seconds_spent: int = Field(default=0, ge=0)
    """gpuSecondsSpent by the steps that this experiment had computed"""
    gpu_seconds_saved: int = Field(default=0, ge=0)
    """gpuSecondsSaved by steps that existed, and by sharing inside the experiment"""
    store: str | None = Field(default=None, max_length=1000)
    """store's URI"""
    writes: int = Field(default=0, ge=0)
    """writes of this status so far: by it the API server knows that a write is of the status, not of the spec"""
