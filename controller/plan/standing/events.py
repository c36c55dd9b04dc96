"""Two statuses -> the Events on the experiment: each thing that a person would want to know, told once.

An Event's name is made of what it tells, so a second POST of it is a 409 and no second Event. Events follow from what
changed between two statuses; with the earlier one lost they are made again, and refused by their names.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from controller.api.labels import FIELD_MANAGER, GROUP, KIND, MANAGED_BY, MANAGER, VERSION
from controller.api.reasons import ConditionType, EventReason, Reason, WaitReason
from controller.api.status import Condition, ExperimentStatus, FailedStep, WaitingStep
from controller.plan.standing.scene import About
from controller.plan.standing.words import clip, count

__all__ = ["build_events"]

_INVALID = frozenset({Reason.INVALID_SPEC, Reason.PLAN_REFUSED, Reason.DOES_NOT_FIT})
_BAD = frozenset(
    {
        EventReason.INVALID,
        EventReason.STEP_RETRIED,
        EventReason.STEP_FAILED,
        EventReason.STEP_WAITING,
        EventReason.FAILED,
    }
)
_LONGEST_NAME = 200
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True)
class _Told:
    """One thing to tell."""

    reason: EventReason
    message: str
    subject: str = ""
    """what it is about, beside the experiment and its generation"""


def build_events(
    about: About, previous: ExperimentStatus | None, status: ExperimentStatus, now: str
) -> list[dict[str, Any]]:
    """Build the core/v1 Events for what changed between two statuses; `now` is RFC 3339, in seconds."""
    before = previous or ExperimentStatus()
    return [
        _event(about, one, now)
        for tell in (_started, _invalid, _retried, _failed_steps, _waiting_steps, _suspended, _ended)
        for one in tell(before, status)
    ]


def _started(before: ExperimentStatus, status: ExperimentStatus) -> Iterator[_Told]:
    """A plan is there that was not: at first, or another one after an edit."""
    if status.steps.total and (not before.steps.total or before.observed_generation != status.observed_generation):
        reused = f", {status.steps.reused} of them exist already" if status.steps.reused else ""
        yield _Told(EventReason.STARTED, f"{count(status.steps.total, 'step')}{reused}")


def _invalid(before: ExperimentStatus, status: ExperimentStatus) -> Iterator[_Told]:
    """The manifest is refused."""
    condition = _condition(status, ConditionType.FAILED)
    if condition and condition.reason in _INVALID and _message(before, ConditionType.FAILED) != condition.message:
        yield _Told(EventReason.INVALID, f"{condition.reason}: {condition.message}", condition.message)


def _retried(before: ExperimentStatus, status: ExperimentStatus) -> Iterator[_Told]:
    """Another attempt of a step follows one that failed; told while the pause lasts, or when the next one runs."""
    known = {job: attempts for job, attempts, _ in _attempts(before)}
    for job, attempts, text in _attempts(status):
        if known.get(job, 1) < attempts:
            yield _Told(EventReason.STEP_RETRIED, text, f"{job}/{attempts}")


def _failed_steps(before: ExperimentStatus, status: ExperimentStatus) -> Iterator[_Told]:
    """Steps that failed for good."""
    known = {_failure_id(one) for one in before.failed}
    for one in status.failed:
        if _failure_id(one) in known:
            continue
        code = "" if one.exit_code is None else f" (exit code {one.exit_code})"
        retry = f"; to try again: kubectl delete job {one.job}" if one.job else ""
        yield _Told(EventReason.STEP_FAILED, f"{one.name}{code}: {clip(one.message, 700)}{retry}", _failure_id(one))


def _waiting_steps(before: ExperimentStatus, status: ExperimentStatus) -> Iterator[_Told]:
    """Steps that wait for a person, one event for all that wait for the same."""
    known = {_cause(one) for one in before.waiting}
    stuck = sorted((one for one in status.waiting if one.reason.needs_person), key=_cause)
    for cause, group in groupby(stuck, key=_cause):
        if cause in known:
            continue
        steps: Sequence[WaitingStep] = tuple(group)
        others = f" and {len(steps) - 1} more" if len(steps) > 1 else ""
        first = steps[0]
        yield _Told(EventReason.STEP_WAITING, f"{first.name}{others}: {first.reason}: {first.message}", cause)


def _suspended(before: ExperimentStatus, status: ExperimentStatus) -> Iterator[_Told]:
    """The experiment stands still because its spec says so, or goes on."""
    was, now = _is(before, ConditionType.SUSPENDED), _is(status, ConditionType.SUSPENDED)
    if now and not was:
        yield _Told(EventReason.SUSPENDED, _message(status, ConditionType.SUSPENDED))
    if was and not now:
        yield _Told(EventReason.RESUMED, f"goes on: {status.progress} steps are done")


def _ended(before: ExperimentStatus, status: ExperimentStatus) -> Iterator[_Told]:
    """The experiment came to its end."""
    if _is(status, ConditionType.SUCCEEDED) and not _is(before, ConditionType.SUCCEEDED):
        best = f"best PGR {status.results.best_pgr}; " if status.results.best_pgr else ""
        yield _Told(EventReason.SUCCEEDED, best + _message(status, ConditionType.SUCCEEDED))
    condition = _condition(status, ConditionType.FAILED)
    failed = _is(status, ConditionType.FAILED) and not _is(before, ConditionType.FAILED)
    if failed and condition and condition.reason not in _INVALID:
        yield _Told(EventReason.FAILED, f"{condition.reason}: {condition.message}")


def _event(about: About, told: _Told, now: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": _name(about, told),
            "namespace": about.namespace,
            "labels": {MANAGED_BY: MANAGER},
        },
        "involvedObject": {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "namespace": about.namespace,
            "name": about.name,
            "uid": about.uid,
        },
        "reason": told.reason.value,
        "message": clip(told.message),
        "type": "Warning" if told.reason in _BAD else "Normal",
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": FIELD_MANAGER,
        "reportingInstance": "",
    }


def _name(about: About, told: _Told) -> str:
    """Name an Event by what it tells: the same thing about the same spec has the same name."""
    told_of = "\n".join((about.uid, told.reason, told.subject, str(about.generation)))
    return f"{about.name[:_LONGEST_NAME].rstrip('-.')}.{hashlib.sha256(told_of.encode()).hexdigest()[:16]}"


def _attempts(status: ExperimentStatus) -> Iterator[tuple[str, int, str]]:
    """Yield Job, attempt and what to tell of it for each listed step that has been tried before."""
    for waiting in status.waiting:
        if waiting.job and waiting.attempts > 1:
            said = f": {waiting.message}" if waiting.reason is WaitReason.BACKOFF else ""
            yield waiting.job, waiting.attempts, f"{waiting.name}: attempt {waiting.attempts}{said}"
    for running in status.running:
        if running.attempts > 1:
            yield running.job, running.attempts, f"{running.name}: attempt {running.attempts}"


def _cause(one: WaitingStep) -> str:
    """Name what a step waits for; counts of nodes and of what is used change all the time and are no news."""
    return f"{one.reason}: {_NUMBERS.sub('#', one.message)}"


def _failure_id(one: FailedStep) -> str:
    return f"{one.job or one.name} {one.exit_code} {one.message}"


def _condition(status: ExperimentStatus, kind: ConditionType) -> Condition | None:
    return next((one for one in status.conditions if one.type == kind), None)


def _is(status: ExperimentStatus, kind: ConditionType) -> bool:
    condition = _condition(status, kind)
    return condition is not None and condition.status == "True"


def _message(status: ExperimentStatus, kind: ConditionType) -> str:
    condition = _condition(status, kind)
    return condition.message if condition else ""
