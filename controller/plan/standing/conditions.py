"""Situation -> the five conditions. One table says it all; times are kept where a condition's status stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from controller.api.reasons import ConditionType, Reason
from controller.api.status import Condition
from controller.plan.standing.words import clip

__all__ = ["Situation", "Times", "build_conditions", "is_news"]

Status = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class Situation:
    """What holds for the experiment as a whole."""

    reason: Reason
    message: str = ""
    stuck: bool = False
    """steps wait, and every one of them needs a person (reason StepsWaiting)"""

    @property
    def ended(self) -> bool:
        """Nothing more happens unless the spec, a failed Job or the installation changes."""
        return self.reason in _ENDED


@dataclass(frozen=True)
class Times:
    """Times for conditions that no earlier status tells of (RFC 3339)."""

    now: str
    created: str
    """when the experiment was created"""
    ended: str | None = None
    """when its last Job ended, where the cluster still tells"""


_T: Status = "True"
_F: Status = "False"
_U: Status = "Unknown"
_ENDED = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.PLAN_REFUSED,
        Reason.DOES_NOT_FIT,
        Reason.STEP_FAILED,
        Reason.DEADLINE_EXCEEDED,
        Reason.ALL_STEPS_SUCCEEDED,
    }
)

# fmt: off
_TABLE: Mapping[Reason, tuple[Status, Status, Status, Status, Status]] = {
    #                           Ready Progressing Suspended Succeeded Failed
    Reason.INVALID_SPEC:        (_F,  _F,         _F,       _F,       _T),
    Reason.PLAN_REFUSED:        (_F,  _F,         _F,       _F,       _T),
    Reason.DOES_NOT_FIT:        (_F,  _F,         _F,       _F,       _T),
    Reason.STORE_UNAVAILABLE:   (_F,  _U,         _F,       _F,       _F),
    Reason.STEPS_RUNNING:       (_F,  _T,         _F,       _F,       _F),
    Reason.STEPS_WAITING:       (_F,  _T,         _F,       _F,       _F),
    Reason.STEP_FAILED:         (_F,  _F,         _F,       _F,       _T),
    Reason.SUSPENDED_BY_SPEC:   (_F,  _F,         _T,       _F,       _F),
    Reason.DEADLINE_EXCEEDED:   (_F,  _F,         _F,       _F,       _T),
    Reason.ALL_STEPS_SUCCEEDED: (_T,  _F,         _F,       _T,       _F),
}
# fmt: on
_OUTCOMES = (ConditionType.SUCCEEDED, ConditionType.FAILED)


def build_conditions(
    situation: Situation, previous: Sequence[Condition], generation: int, times: Times
) -> tuple[Condition, ...]:
    """Build the five conditions in their order.

    Raises
    ------
    KeyError
        The reason is none of an experiment as a whole (NotSuspended, NotFinished).
    """
    known = {one.type: one for one in previous}
    return tuple(
        _condition(kind, status, situation, known.get(kind), (generation, times))
        for kind, status in zip(ConditionType, _statuses(situation), strict=True)
    )


def is_news(before: Sequence[Condition], after: Sequence[Condition]) -> bool:
    """Tell whether somebody who waits for a condition would miss a change between two statuses.

    That an experiment goes on, with steps that run or wait in turns, is no news; nor is it in its first status.
    """
    return _unusual(before) != _unusual(after)


def _unusual(conditions: Sequence[Condition]) -> set[tuple[ConditionType, Status, str]]:
    """Return what differs from an experiment that simply goes on."""
    usual = {kind: _T if kind is ConditionType.PROGRESSING else _F for kind in ConditionType}
    return {(one.type, one.status, one.reason) for one in conditions if one.status != usual[one.type]}


def _statuses(situation: Situation) -> tuple[Status, ...]:
    ready, progressing, *others = _TABLE[situation.reason]
    if situation.reason is Reason.STEPS_WAITING and situation.stuck:
        progressing = _F
    return ready, progressing, *others


def _condition(
    kind: ConditionType, status: Status, situation: Situation, before: Condition | None, about: tuple[int, Times]
) -> Condition:
    generation, times = about
    reason = situation.reason
    if kind is ConditionType.SUSPENDED and status == _F:
        reason = Reason.NOT_SUSPENDED
    elif kind in _OUTCOMES and status == _F and not situation.ended:
        reason = Reason.NOT_FINISHED
    says = status != _F or kind in (ConditionType.READY, ConditionType.PROGRESSING)
    return Condition(
        type=kind,
        status=status,
        reason=reason.value,
        message=clip(situation.message) if says else "",
        observed_generation=generation,
        last_transition_time=_transition(kind, status, situation, before, times),
    )


def _transition(
    kind: ConditionType, status: Status, situation: Situation, before: Condition | None, times: Times
) -> str:
    """Return when the status changed: from the status before, else from what Jobs and the experiment tell."""
    if before is not None:
        return before.last_transition_time if before.status == status else times.now
    since_the_end = status == _T or kind is ConditionType.PROGRESSING
    if situation.ended and since_the_end:
        return times.ended or times.now
    return times.now if situation.reason is Reason.SUSPENDED_BY_SPEC and since_the_end else times.created
