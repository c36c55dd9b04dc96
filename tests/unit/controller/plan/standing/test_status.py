"""The status of an experiment, projected from what is there."""

from dataclasses import replace

import pytest

from controller.api.reasons import ConditionType, Reason, WaitReason
from controller.plan.standing.conditions import Situation, is_news
from controller.plan.standing.outcomes import StepOutcome
from controller.plan.standing.status import project_status, project_trouble
from tests.support.kube_objects import a_job, a_pod, keys, waiting_pod
from tests.support.scenes import ABOUT, FIRST, LATER, NOW, PLAN, SECOND, condition, scene, shown
from w2s_jobs.contracts.artifact import Progress

GPU = StepOutcome(timings={"gpuSeconds": 10.0})


def test_at_first_all_steps_wait_and_nothing_is_in_the_way_of_those_that_read_nothing() -> None:
    status = project_status(ABOUT, scene(), None, NOW)
    assert status.progress == f"0/{len(PLAN.steps)}"
    assert status.waiting[0].reason is WaitReason.STARTING
    assert status.waiting[-1].reason is WaitReason.DEPENDENCIES
    assert condition(status, ConditionType.PROGRESSING).status == "True"
    assert status.started == NOW


def test_a_running_step_shows_its_job_pods_and_progress() -> None:
    job = a_job(FIRST, kind="prepare")
    pod = a_pod(job)
    progress = Progress(attempt=pod["metadata"]["uid"], done=3, total=9, unit="rows", rate=1.23456)
    status = project_status(ABOUT, scene([job], [pod], progress={FIRST: progress}), None, NOW)
    (running,) = status.running
    assert (running.name, running.job, running.pods) == (PLAN.step(FIRST).name, job["metadata"]["name"], 1)
    assert (running.done, running.total, running.unit, running.rate) == (3, 9, "rows", 1.23)
    assert shown(status)["Progressing"] == ("True", "StepsRunning")


def test_progress_of_an_attempt_that_is_over_is_not_shown() -> None:
    job = a_job(FIRST)
    old = Progress(attempt="gone", done=3, total=9, unit="rows")
    status = project_status(ABOUT, scene([job], [a_pod(job)], progress={FIRST: old}), None, NOW)
    assert status.running[0].done is None


def test_steps_beyond_the_limit_say_so() -> None:
    job = a_job(FIRST)
    status = project_status(replace(ABOUT, max_parallel_steps=2), scene([job], [a_pod(job)]), None, NOW)
    reasons = [one.reason for one in status.waiting]
    assert reasons.count(WaitReason.STARTING) == 1
    assert WaitReason.LIMIT in reasons


def test_steps_that_need_a_person_come_first_and_alone_they_stop_the_progress() -> None:
    jobs = [a_job(step.key) for step in PLAN.steps if step.kind == "prepare"]
    pods = [waiting_pod(job, "ImagePullBackOff", "no such image") for job in jobs]
    status = project_status(ABOUT, scene(jobs, pods), None, NOW)
    assert {one.reason for one in status.waiting[: len(jobs)]} == {WaitReason.IMAGE}
    assert shown(status)["Progressing"] == ("False", "StepsWaiting")
    assert "no such image" in condition(status, ConditionType.READY).message
    busy = [waiting_pod(job, unschedulable="0/2 nodes are available") for job in jobs]
    assert shown(project_status(ABOUT, scene(jobs, busy), None, NOW))["Progressing"] == ("True", "StepsWaiting")


def test_a_failed_step_fails_the_experiment_only_when_nothing_else_can_run() -> None:
    failed = a_job(FIRST, "Failed", failed=4)
    words = a_pod(failed, "Failed", 42, "records.jsonl line 7: no answer")
    running = a_job(SECOND)
    status = project_status(ABOUT, scene([failed, running], [words, a_pod(running)]), None, NOW)
    assert shown(status)["Failed"] == ("False", "NotFinished")
    assert "1 step failed" in condition(status, ConditionType.PROGRESSING).message
    assert status.failed[0].exit_code == 42
    assert status.failed[0].message == "records.jsonl line 7: no answer"
    others = [step.key for step in PLAN.steps if step.kind == "prepare" and step.key != FIRST]
    lost = scene([failed, *(a_job(key, "Failed") for key in others)], [words])
    assert lost.decision.finished
    status = project_status(ABOUT, lost, status, LATER)
    assert shown(status)["Failed"] == ("True", "StepFailed")
    assert f"kubectl delete job {failed['metadata']['name']}" in condition(status, ConditionType.FAILED).message
    assert status.finished is not None
    assert status.steps.blocked > 0


def test_a_complete_job_whose_result_never_came_is_said_so() -> None:
    status = project_status(ABOUT, scene([a_job(FIRST, "Complete")], missing={FIRST}), None, NOW)
    assert "its result never came" in status.failed[0].message


def test_with_the_report_done_the_experiment_succeeded_whatever_else_there_is() -> None:
    status = project_status(replace(ABOUT, suspend=True), scene(done=[PLAN.report]), None, NOW)
    assert shown(status) == {
        "Ready": ("True", "AllStepsSucceeded"),
        "Progressing": ("False", "AllStepsSucceeded"),
        "Suspended": ("False", "NotSuspended"),
        "Succeeded": ("True", "AllStepsSucceeded"),
        "Failed": ("False", "AllStepsSucceeded"),
    }
    assert status.progress == f"{len(PLAN.steps)}/{len(PLAN.steps)}"
    assert status.steps.reused == len(PLAN.steps)


def test_a_suspended_experiment_tells_of_no_waiting_step_but_that_it_is_suspended() -> None:
    status = project_status(replace(ABOUT, suspend=True), scene([a_job(FIRST)]), None, NOW)
    assert shown(status)["Suspended"] == ("True", "SuspendedBySpec")
    assert status.waiting == ()
    assert "1 Job still ending" in condition(status, ConditionType.SUSPENDED).message


def test_trouble_is_above_what_the_steps_tell() -> None:
    trouble = Situation(Reason.DEADLINE_EXCEEDED, "took longer than 60 s")
    status = project_status(ABOUT, scene([a_job(FIRST)], trouble=trouble), None, NOW)
    assert shown(status)["Failed"] == ("True", "DeadlineExceeded")
    assert status.finished == NOW


def test_steps_with_a_job_of_ours_are_not_reused_and_those_of_others_are() -> None:
    jobs = [a_job(FIRST, "Complete"), a_job(SECOND, "Complete", owner="another")]
    status = project_status(ABOUT, scene(jobs, done=[FIRST, SECOND]), None, NOW)
    assert (status.steps.done, status.steps.reused) == (2, 1)


def test_gpu_seconds_are_spent_once_and_saved_for_each_point_more() -> None:
    shared = max(PLAN.steps, key=lambda step: step.uses)
    assert shared.uses > 1
    here = project_status(ABOUT, scene([a_job(shared.key, "Complete")], outcomes={shared.key: GPU}), None, NOW)
    assert (here.gpu_seconds_spent, here.gpu_seconds_saved) == (10, 10 * (shared.uses - 1))
    before = project_status(ABOUT, scene(outcomes={shared.key: GPU}), None, NOW)
    assert (before.gpu_seconds_spent, before.gpu_seconds_saved) == (0, 10 * shared.uses)


def test_accuracies_come_as_points_are_measured_and_pgr_waits_for_the_report() -> None:
    (key,) = keys(PLAN, "evaluate weak/seed0")
    status = project_status(ABOUT, scene(outcomes={key: StepOutcome(metrics={"accuracy": 0.25})}), None, NOW)
    weak = next(point for point in status.results.points if point.id == "weak/seed0")
    assert (weak.accuracy, weak.pgr) == (0.25, None)
    assert [point.id for point in status.results.points] == [point.id for point in PLAN.points]


def test_a_transition_time_changes_with_the_status_alone() -> None:
    first = project_status(ABOUT, scene(), None, NOW)
    same = project_status(ABOUT, scene(), first, LATER)
    assert same == first
    suspended = project_status(replace(ABOUT, suspend=True), scene(), first, LATER)
    assert condition(suspended, ConditionType.SUSPENDED).last_transition_time == LATER
    assert condition(suspended, ConditionType.READY).last_transition_time == ABOUT.created
    assert is_news(first.conditions, suspended.conditions)
    assert not is_news(first.conditions, same.conditions)


def test_the_first_status_and_steps_that_run_and_wait_in_turns_are_no_news() -> None:
    waits = project_status(ABOUT, scene(), None, NOW)
    runs = project_status(ABOUT, scene([a_job(FIRST, ready=1)]), None, NOW)
    ended = project_status(ABOUT, scene([a_job(PLAN.report, "Complete")], done=[PLAN.report]), None, NOW)
    assert shown(waits) != shown(runs)
    assert not is_news((), waits.conditions)
    assert not is_news(waits.conditions, runs.conditions)
    assert is_news((), ended.conditions)
    assert is_news(runs.conditions, ended.conditions)


def test_an_end_is_dated_by_the_job_that_ended_last() -> None:
    status = project_status(ABOUT, scene([a_job(PLAN.report, "Complete")], done=[PLAN.report]), None, NOW)
    assert condition(status, ConditionType.SUCCEEDED).last_transition_time == "2026-11-25T15:10:00Z"
    assert status.finished == "2026-11-25T15:10:00Z"


@pytest.mark.parametrize(
    ("reason", "failed"),
    [
        (Reason.INVALID_SPEC, "True"),
        (Reason.PLAN_REFUSED, "True"),
        (Reason.DOES_NOT_FIT, "True"),
        (Reason.STORE_UNAVAILABLE, "False"),
    ],
)
def test_an_experiment_without_a_plan_says_why(reason, failed) -> None:
    status = project_trouble(ABOUT, Situation(reason, "spec.models: expected a chain"), None, NOW)
    assert condition(status, ConditionType.FAILED).status == failed
    assert condition(status, ConditionType.READY).reason == reason
    assert condition(status, ConditionType.READY).message == "spec.models: expected a chain"


def test_while_the_store_is_away_what_was_known_of_the_steps_stays() -> None:
    before = project_status(ABOUT, scene(done=[FIRST]), None, NOW)
    away = project_trouble(ABOUT, Situation(Reason.STORE_UNAVAILABLE, "no answer"), before, LATER)
    assert away.steps == before.steps
    assert shown(away)["Progressing"] == ("Unknown", "StoreUnavailable")
    invalid = project_trouble(ABOUT, Situation(Reason.INVALID_SPEC, "bad"), before, LATER)
    assert invalid.steps.total == 0
