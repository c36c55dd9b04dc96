"""The page on the status (docs/status.md), written from the reasons: what each means and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from controller.api.reasons import ConditionType, Documented, EventReason, Reason, WaitReason
from controller.api.status import (
    LONGEST_MESSAGE,
    MOST_FAILED,
    MOST_POINTS,
    MOST_RUNNING,
    MOST_WAITING,
    ExperimentStatus,
)

__all__ = ["render_status_page"]

_HEAD = """\
# The status of an experiment

Written from `controller/api/reasons.py` and `controller/api/status.py`; a test compares (`UPDATE_GOLDEN=1 make test`
writes it anew). NAME is an experiment, JOB one of its Jobs.

    kubectl get w2s                                      one line each
    kubectl describe w2s NAME                            conditions, steps, and the events of the last hour
    kubectl get w2s NAME -o jsonpath='{.status.waiting}' why steps wait
    kubectl wait w2s/NAME --for=condition=Succeeded      until it ended well

The status is a projection of Jobs, pods and the store. Delete it and the controller writes it again.
"""


def render_status_page() -> str:
    """Render the page as Markdown."""
    return "\n".join(
        [
            _HEAD,
            *_section("Conditions", "Every experiment has these five.", "condition", ConditionType),
            *_section(
                "Reasons of conditions",
                "An experiment ends with `Succeeded` or `Failed` being True; `Progressing` is then False. A failed "
                "step fails it only when nothing else can run.",
                "reason",
                Reason,
            ),
            *_section(
                "Why a step waits",
                "`status.waiting[].reason`, in the order in which the steps are listed: what needs a person first. "
                "`message` has the words of the scheduler, the kubelet, the queue or the API server.",
                "reason",
                WaitReason,
            ),
            *_section("Events", "On the experiment, each thing once.", "event", EventReason),
            *_fields(),
        ]
    )


def _section(title: str, text: str, heading: str, members: Iterable[Documented]) -> Iterator[str]:
    yield f"## {title}\n\n{text}\n"
    yield f"| {heading} | meaning | what to do |"
    yield "|---|---|---|"
    for member in members:
        yield f"| `{member.value}` | {_cell(member.meaning)} | {_cell(member.fix)} |"
    yield ""


def _fields() -> Iterator[str]:
    yield "## Fields\n"
    yield (
        f"At most {MOST_RUNNING} running, {MOST_WAITING} waiting and {MOST_FAILED} failed steps and {MOST_POINTS} "
        f"points are listed, each message has at most {LONGEST_MESSAGE} bytes; `steps` counts all.\n"
    )
    yield "| field | meaning |"
    yield "|---|---|"
    for name, field in ExperimentStatus.model_fields.items():
        yield f"| `{field.alias or name}` | {_cell(' '.join((field.description or '').split()))} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
