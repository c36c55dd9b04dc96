"""When a status is written: news at once, the rest in its turn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from controller.api.reasons import Reason
from controller.api.status import ExperimentStatus
from controller.operator.cluster import Name
from controller.operator.memory import Memory
from controller.operator.metrics import Metrics
from controller.operator.reporter import Reporter
from controller.plan.standing.conditions import Situation
from controller.plan.standing.scene import About
from controller.plan.standing.status import project_trouble

NOW = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)


class Written:
    """Takes what a reporter writes."""

    def __init__(self) -> None:
        self.statuses: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []

    def write_status(self, _name: Name, status: dict[str, Any]) -> None:
        self.statuses.append(status)

    def post(self, event: dict[str, Any]) -> None:
        self.events.append(event)


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
def reporter(written: Written) -> Reporter:
    return Reporter(written, Metrics(), lambda: NOW)  # type: ignore[arg-type]


def write(reporter: Reporter, memory: Memory, reason: Reason, name: str = "one") -> float | None:
    about = About(name=name, namespace="default", uid=name, generation=1, created="2026-11-25T14:59:00Z")
    status = project_trouble(about, Situation(reason, "words"), None, "2026-11-25T15:00:00Z")
    return reporter._write(Name("default", name), about, None, status, memory)


def test_a_quiet_controller_writes_the_first_status_at_once(reporter: Reporter, written: Written) -> None:
    assert write(reporter, Memory(), Reason.STEPS_RUNNING) is None
    assert len(written.statuses) == 1


def test_in_a_rush_statuses_without_news_wait_for_their_turn_and_news_does_not(
    reporter: Reporter, written: Written
) -> None:
    memories = [Memory(clock=lambda: 1e9) for _ in range(100)]
    waits = [write(reporter, memory, Reason.STEPS_RUNNING) for memory in memories]
    held_back = [wait for wait in waits if wait is not None]
    assert len(written.statuses) == 20
    assert held_back == sorted(held_back)
    assert held_back[-1] == pytest.approx(16.0), "80 of them, five a second"
    assert write(reporter, memories[-1], Reason.INVALID_SPEC) is None
    assert len(written.statuses) == 21


def test_a_status_counts_its_writes(reporter: Reporter, written: Written) -> None:
    """By the count the API server tells a write of the status from one of the spec."""
    about = About(name="one", namespace="default", uid="one", generation=1, created="2026-11-25T14:59:00Z")
    before: ExperimentStatus | None = None
    for reason in (Reason.STEPS_RUNNING, Reason.STORE_UNAVAILABLE, Reason.ALL_STEPS_SUCCEEDED):
        after = project_trouble(about, Situation(reason, "words"), before, "2026-11-25T15:00:00Z")
        reporter._write(Name("default", "one"), about, before, after, Memory())
        before = ExperimentStatus.model_validate(written.statuses[-1], by_alias=True, by_name=False)
    assert [status["writes"] for status in written.statuses] == [1, 2, 3]


def test_who_waits_for_a_turn_keeps_it(reporter: Reporter, written: Written) -> None:
    now = [1e9]
    memories = [Memory(clock=lambda: now[0]) for _ in range(30)]
    for memory in memories:
        write(reporter, memory, Reason.STEPS_RUNNING)
    now[0] += 1.5
    assert write(reporter, memories[-1], Reason.STEPS_RUNNING) == pytest.approx(0.5)
    now[0] += 0.6
    before = len(written.statuses)
    assert write(reporter, memories[-1], Reason.STEPS_RUNNING) is None
    assert len(written.statuses) == before + 1


def test_what_is_held_back_of_a_refused_experiment_is_written_in_its_turn(reporter: Reporter, written: Written) -> None:
    for _ in range(40):
        write(reporter, Memory(clock=lambda: 1e9), Reason.STEPS_RUNNING)
    name, obj = Name("default", "one"), refused_before("spec.task: expected a family")
    situation = Situation(Reason.INVALID_SPEC, "spec.models: expected a chain")
    before, memory, now = len(written.statuses), Memory(clock=lambda: now[0]), [1e9]
    wait = reporter.refuse(name, obj, situation, memory)
    assert wait is not None, "the words have changed, the condition has not"
    assert len(written.statuses) == before
    now[0] += wait
    assert reporter.refuse(name, obj, situation, memory) is None
    assert written.statuses[-1]["observedGeneration"] == 2


def test_steps_of_a_refused_experiment_are_counted_no_more(written: Written) -> None:
    metrics = Metrics()
    metrics.stand("default/one", {("running", "train"): 2})
    reporter = Reporter(written, metrics, lambda: NOW)  # type: ignore[arg-type]
    reporter.refuse(Name("default", "one"), refused_before("words"), Situation(Reason.INVALID_SPEC, "x"), Memory())
    assert metrics.registry.get_sample_value("w2s_steps", {"state": "running", "kind": "train"}) == 0


def refused_before(words: str) -> dict[str, Any]:
    """An experiment whose first generation was refused, and which was edited since."""
    created = "2026-11-25T14:59:00Z"
    about = About(name="one", namespace="default", uid="one", generation=1, created=created)
    status = project_trouble(about, Situation(Reason.INVALID_SPEC, words), None, created)
    return {
        "metadata": {
            "name": "one",
            "namespace": "default",
            "uid": "one",
            "generation": 2,
            "creationTimestamp": created,
        },
        "spec": {},
        "status": status.model_dump(mode="json", by_alias=True, exclude_none=True),
    }
