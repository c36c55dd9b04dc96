"""Jobs and their pods -> what `decide` looks at."""

import json
import tracemalloc
from pathlib import Path

import pytest

from controller.api.parse import parse_manifest
from controller.plan.compile import compile_plan
from controller.plan.decide import decide
from controller.plan.standing.observe import JobPhase, job_key, observe, pods_by_job, read_job, read_jobs
from controller.plan.standing.projection import project_job, project_pod
from tests.support.kube_objects import RECORDED, a_job, a_pod, recorded

MANIFEST = Path(__file__).parents[4] / "golden" / "plans" / "two-rounds.yaml"
PLAN = compile_plan(parse_manifest(MANIFEST.read_text(), "two-rounds"))
KEY = PLAN.steps[0].key
LATER = "2026-11-25T16:00:00Z"


def phase_of(job, *pods) -> JobPhase:
    return read_job(KEY, job, pods).phase


@pytest.mark.parametrize(
    ("name", "phase", "attempts", "exit_code"),
    [
        ("ok", JobPhase.COMPLETE, 1, None),
        ("running", JobPhase.RUNNING, 1, None),
        ("unsched", JobPhase.PENDING, 1, None),
        ("quota", JobPhase.PENDING, 1, None),
        ("nosa", JobPhase.PENDING, 1, None),
        ("suspended", JobPhase.SUSPENDED, 1, None),
        ("fail42", JobPhase.FAILED, 1, 42),
        ("fail1", JobPhase.FAILED, 2, 1),
        ("backoff", JobPhase.PENDING, 2, 1),
        ("deadline", JobPhase.FAILED, 1, None),
    ],
)
def test_recorded_jobs_are_read_as_what_they_were(name, phase, attempts, exit_code) -> None:
    job = recorded("jobs", name)
    pods = pods_by_job(json.loads(RECORDED.read_text())["pods"]).get(job["metadata"]["uid"], [])
    state = read_job("a" * 64, job, pods)
    assert (state.phase, state.exit_code) == (phase, exit_code)
    assert state.attempts >= attempts  # the Job of `backoff` may have been recorded in any of its pauses


def test_a_partly_refused_sampling_runs_with_the_pods_it_has() -> None:
    job = recorded("jobs", "quotapart")
    state = read_job("a" * 64, job, pods_by_job(json.loads(RECORDED.read_text())["pods"])[job["metadata"]["uid"]])
    assert (state.phase, state.pods, state.wanted) == (JobPhase.RUNNING, 2, 4)


def test_when_all_its_pods_are_done_a_job_is_about_to_be_complete() -> None:
    job = a_job(KEY, spec__parallelism=2, spec__completions=2)
    done = [a_pod(job, "Succeeded", number=number) for number in range(2)]
    assert read_job(KEY, job, done).all_succeeded
    assert not read_job(KEY, job, [done[0], a_pod(job, number=1)]).all_succeeded
    assert not read_job(KEY, job, [done[0], a_pod(job, "Failed", 1, number=1)]).all_succeeded
    assert read_job(KEY, a_job(KEY, "Complete"), ()).all_succeeded, "its pods may be gone"


def test_a_training_over_nodes_does_not_run_before_all_its_pods_do() -> None:
    job = a_job(KEY, kind="train", spec__parallelism=2, spec__completions=2)
    pods = [a_pod(job, number=0), a_pod(job, "Pending", number=1)]
    assert phase_of(job, *pods) is JobPhase.PENDING
    assert phase_of(job, pods[0], a_pod(job, number=1)) is JobPhase.RUNNING


def test_a_training_over_nodes_counts_a_restart_of_all_its_pods_as_one_attempt() -> None:
    job = a_job(KEY, kind="train", spec__parallelism=2, spec__completions=2, failed=2)
    assert read_job(KEY, job, ()).attempts == 2


def test_the_last_words_of_the_step_tell_more_than_those_of_the_job_controller() -> None:
    job = a_job(KEY, "Failed", failed=2)
    pods = [
        a_pod(job, "Failed", 1, "first try", number=0, finished="2026-11-25T15:05:00Z"),
        a_pod(job, "Failed", 43, "bucket b cannot be reached", number=1, finished="2026-11-25T15:09:00Z"),
    ]
    state = read_job(KEY, job, pods)
    assert (state.exit_code, state.message) == (43, "bucket b cannot be reached")
    assert state.reason == "BackoffLimitExceeded"


def test_without_a_pod_left_the_words_of_the_job_controller_stay() -> None:
    state = read_job(KEY, recorded("jobs", "fail42"), ())
    assert state.exit_code == 42
    assert state.message.startswith("PodFailurePolicy: Container worker for pod standing/fail42-")


def test_the_pod_that_ended_the_job_is_the_one_quoted_not_those_that_were_told_to_stop() -> None:
    job = a_job(KEY, "Failed")
    job["status"]["conditions"][0] |= {
        "reason": "PodFailurePolicy",
        "message": "Container worker for pod default/x failed with exit code 42 matching FailJob rule at index 0",
    }
    culprit = a_pod(job, "Failed", 42, "record 7 has no answer", number=0, finished="2026-11-25T15:05:00Z")
    stopped = a_pod(job, "Failed", 143, "stopped", number=1, finished="2026-11-25T15:06:00Z")
    assert read_job(KEY, job, [stopped, culprit]).message == "record 7 has no answer"


def test_an_evicted_pod_is_not_the_failure_of_a_step() -> None:
    job = a_job(KEY)
    state = read_job(KEY, job, [a_pod(job, "Failed", 137, "killed", disrupted=True)])
    assert (state.exit_code, state.message, state.attempts) == (None, "", 1)


def test_a_pod_that_used_more_disk_than_it_may_is_quoted_with_the_kubelets_words() -> None:
    job = a_job(KEY, "Failed", failed=4)
    pod = a_pod(job, "Failed", 137, "signal SIGTERM")
    pod["status"] |= {"reason": "Evicted", "message": "Pod ephemeral local storage usage exceeds the total limit. "}
    state = read_job(KEY, job, [pod])
    assert state.message == "Evicted: Pod ephemeral local storage usage exceeds the total limit."
    assert state.exit_code == 137


def test_memory_that_ran_out_is_named() -> None:
    job = a_job(KEY, failed=1)
    assert read_job(KEY, job, [a_pod(job, "Failed", 137, reason="OOMKilled")]).message == "OOMKilled"


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        (a_job(KEY), "running"),
        (a_job(KEY, "Suspended", spec__suspend=True), "running"),
        (a_job(KEY, metadata__deletionTimestamp=LATER), "running"),
        (a_job(KEY, "Failed", metadata__deletionTimestamp=LATER), "running"),
        (a_job(KEY, "Complete"), "running"),
        (a_job(KEY, "Failed"), "failed"),
    ],
    ids=["pending", "suspended", "going", "failed and going", "complete, result unread", "failed"],
)
def test_a_step_whose_job_is_there_is_never_started_again(job, expected) -> None:
    decision = decide(PLAN, observe(read_jobs(PLAN, [job], {}), done=frozenset()))
    assert KEY not in {step.key for step in decision.start}
    assert (KEY in decision.failed) == (expected == "failed")


def test_a_complete_job_is_done_with_its_result_and_failed_when_that_never_came() -> None:
    states = read_jobs(PLAN, [a_job(KEY, "Complete")], {})
    assert observe(states, done={KEY}).running == set()
    assert KEY in decide(PLAN, observe(states, done=set(), missing={KEY})).failed


def test_a_job_that_was_deleted_may_be_created_again_once_it_is_gone() -> None:
    assert KEY in {step.key for step in decide(PLAN, observe({}, done=set())).start}


def test_jobs_of_other_plans_and_of_nobody_are_passed_over() -> None:
    foreign = a_job("f" * 64)
    nobody = a_job(KEY)
    del nobody["metadata"]["annotations"]
    assert read_jobs(PLAN, [foreign, nobody], {}) == {}
    assert job_key(nobody) is None


def test_of_two_jobs_of_one_key_the_one_that_stays_counts() -> None:
    going, staying = a_job(KEY, metadata__deletionTimestamp=LATER), a_job(KEY, metadata__name="another")
    for jobs in ([going, staying], [staying, going]):
        assert read_jobs(PLAN, jobs, {})[KEY].name == "another"


def test_what_is_kept_of_recorded_objects_tells_the_same_as_the_whole() -> None:
    objects = json.loads(RECORDED.read_text())
    whole, kept = pods_by_job(objects["pods"]), pods_by_job(map(project_pod, objects["pods"]))
    for job in objects["jobs"]:
        uid = job["metadata"]["uid"]
        assert read_job(KEY, job, whole.get(uid, ())) == read_job(KEY, project_job(job), kept.get(uid, ()))
        assert job_key(job) == job_key(project_job(job))


def test_what_is_kept_of_five_thousand_jobs_and_pods_is_below_100_megabytes() -> None:
    text = json.dumps([recorded("jobs", "running"), recorded("pods", "running")])
    tracemalloc.start()
    kept = []
    for _ in range(500):
        job, pod = json.loads(text)  # each with strings of its own, as they come off the wire
        kept.append((project_job(job), project_pod(pod)))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size * 10 < 100 * 10**6, f"{size / 500:.0f} bytes a Job with its pod"
    print(f"{size / 500:.0f} bytes a Job with its pod")
