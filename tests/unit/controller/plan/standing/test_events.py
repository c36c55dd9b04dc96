"""Events on the experiment: each thing told once."""

from dataclasses import replace

import pytest

from controller.api.reasons import EventReason, Reason
from controller.api.status import ExperimentStatus
from controller.plan.standing.conditions import Situation
from controller.plan.standing.events import build_events
from controller.plan.standing.status import project_status, project_trouble
from tests.support.kube_objects import a_job, a_pod, waiting_pod
from tests.support.scenes import ABOUT, FIRST, LATER, NOW, PLAN, SECOND, a_situation, scene


def told(before: ExperimentStatus | None, after: ExperimentStatus, about=ABOUT) -> list[tuple[str, str]]:
    return [(event["reason"], event["message"]) for event in build_events(about, before, after, NOW)]


def reasons(before: ExperimentStatus | None, after: ExperimentStatus, about=ABOUT) -> list[str]:
    return [reason for reason, _ in told(before, after, about)]


def status(*args, about=ABOUT, before=None, **known) -> ExperimentStatus:
    return project_status(about, scene(*args, **known), before, NOW)


def test_a_first_plan_is_told_with_what_exists_already() -> None:
    assert told(None, status(done=[FIRST])) == [("Started", f"{len(PLAN.steps)} steps, 1 of them exist already")]


def test_nothing_is_told_when_nothing_changed() -> None:
    for seed in range(20):
        seen = project_status(ABOUT, a_situation(seed), None, NOW)
        assert told(seen, seen) == []


def test_an_edit_that_changes_the_plan_is_a_start_of_its_own() -> None:
    edited = replace(ABOUT, generation=2)
    first, second = status(), status(about=edited)
    assert reasons(first, second, edited) == ["Started"]
    names = {build_events(ABOUT, None, first, NOW)[0]["metadata"]["name"]}
    names.add(build_events(edited, first, second, NOW)[0]["metadata"]["name"])
    assert len(names) == 2


@pytest.mark.parametrize("reason", [Reason.INVALID_SPEC, Reason.PLAN_REFUSED, Reason.DOES_NOT_FIT])
def test_a_refused_manifest_is_told_as_that_and_not_as_a_failure_too(reason) -> None:
    refused = project_trouble(ABOUT, Situation(reason, "spec.models: expected a chain"), None, NOW)
    assert told(None, refused) == [("Invalid", f"{reason}: spec.models: expected a chain")]


def test_a_retry_is_told_once_whether_it_was_seen_in_its_pause_or_running() -> None:
    first = status([a_job(FIRST)], [a_pod(a_job(FIRST))])
    job = a_job(FIRST, failed=1)
    pause = status([job], [a_pod(job, "Failed", 43, "no answer")])
    running = status([job], [a_pod(job, "Failed", 43, "no answer"), a_pod(job, number=1)])
    paused, ran = build_events(ABOUT, first, pause, NOW), build_events(ABOUT, first, running, NOW)
    assert [event["reason"] for event in (*paused, *ran)] == ["StepRetried", "StepRetried"]
    assert "attempt 1 ended with exit code 43: no answer" in paused[0]["message"]
    assert paused[0]["metadata"]["name"] == ran[0]["metadata"]["name"]
    assert told(pause, running) == []


def test_an_eviction_is_no_retry() -> None:
    job = a_job(FIRST)
    first = status([job], [a_pod(job)])
    evicted = status([job], [a_pod(job, "Failed", 137, disrupted=True), a_pod(job, number=1)])
    assert told(first, evicted) == []


def test_a_step_that_failed_is_told_with_its_words_and_how_to_try_again() -> None:
    job = a_job(FIRST, "Failed")
    ((reason, message),) = told(status(), status([job], [a_pod(job, "Failed", 42, "line 7: no answer")]))
    assert reason == "StepFailed"
    assert "(exit code 42): line 7: no answer; to try again: kubectl delete job w2s-" in message


def test_many_steps_that_wait_for_the_same_are_one_event() -> None:
    jobs = [a_job(FIRST), a_job(SECOND)]
    waiting = status(jobs, [waiting_pod(job, unschedulable="0/2 nodes are available") for job in jobs])
    ((reason, message),) = told(status(), waiting)
    assert reason == "StepWaiting"
    assert " and 1 more: Unschedulable: 0/2 nodes are available" in message


def test_another_count_of_nodes_in_the_schedulers_words_is_no_news() -> None:
    job = a_job(FIRST)
    one, other = (status([job], [waiting_pod(job, unschedulable=f"0/{n} nodes are available")]) for n in (2, 3))
    assert told(one, other) == []


def test_waiting_for_what_comes_by_itself_is_not_told() -> None:
    held = a_job(FIRST, spec__suspend=True, metadata__queue="team")
    assert told(status(), status([held])) == []


def test_suspending_and_going_on_are_told() -> None:
    suspended = replace(ABOUT, suspend=True, generation=2)
    stopped = status(about=suspended)
    assert "Suspended" in reasons(status(), stopped, suspended)
    assert "Resumed" in reasons(stopped, status(about=replace(ABOUT, generation=3)), replace(ABOUT, generation=3))


def test_the_end_is_told() -> None:
    ((reason, message),) = told(status(), status(done=[PLAN.report]))
    assert (reason, message) == ("Succeeded", "the report is in the store")
    late = status(trouble=Situation(Reason.DEADLINE_EXCEEDED, "took longer than 60 s"))
    assert told(status(), late) == [("Failed", "DeadlineExceeded: took longer than 60 s")]


def test_an_event_names_the_experiment_and_fits_what_the_api_server_takes() -> None:
    about = replace(ABOUT, name="n" * 240)
    for seed in range(20):
        for event in build_events(about, None, project_status(about, a_situation(seed), None, LATER), LATER):
            assert event["involvedObject"]["uid"] == about.uid
            assert event["metadata"]["namespace"] == event["involvedObject"]["namespace"]
            assert len(event["metadata"]["name"]) <= 253
            assert len(event["message"].encode()) <= 1024
            assert event["type"] in ("Normal", "Warning")
            assert event["reason"] in set(EventReason)


def test_with_the_earlier_status_lost_the_same_events_have_the_same_names() -> None:
    seen = project_status(ABOUT, a_situation(3), None, NOW)
    one, other = build_events(ABOUT, None, seen, NOW), build_events(ABOUT, None, seen, LATER)
    assert [event["metadata"]["name"] for event in one] == [event["metadata"]["name"] for event in other]
    assert len({event["metadata"]["name"] for event in one}) == len(one)
