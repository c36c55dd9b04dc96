"""Jobs and their pods -> what `decide` looks at. A Job is the only memory of what was tried; nothing else is kept.

no Job            may be created                        -> nothing
being deleted     its name is still taken: wait         -> running
Suspended         Kueue (or a person) holds it          -> running
Pending, Running  pods are wanted, or run               -> running, or done where the result is there
Complete          result in the store                   -> done
                  result not read yet: ask again        -> running
                  never came (`missing`)                -> failed
Failed            the Job's own backoffLimit gave up    -> failed; deleting the Job tries again
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from controller.api.labels import KEY, QUEUE, STEP_KIND
from controller.api.status import MOST_RUNNING
from controller.plan.decide import Observed
from controller.plan.graph import Plan
from controller.plan.standing.pods import has_succeeded, last_failure, running
from controller.plan.standing.projection import JOB_UID
from w2s_jobs.contracts.errors import ExitCode

__all__ = [
    "JobPhase",
    "JobState",
    "is_over",
    "job_key",
    "longest_running",
    "observe",
    "pods_by_job",
    "read_job",
    "read_jobs",
]

_KEY_LENGTH = 64


class JobPhase(StrEnum):
    """Where a Job stands."""

    PENDING = "Pending"
    """wants pods; not one runs, or not all of those that only work together"""
    RUNNING = "Running"
    COMPLETE = "Complete"
    FAILED = "Failed"
    SUSPENDED = "Suspended"
    DELETING = "Deleting"
    """told to go; until it is gone nothing of its name can be created"""


_UNFINISHED = frozenset({JobPhase.PENDING, JobPhase.RUNNING, JobPhase.SUSPENDED})


@dataclass(frozen=True)
class JobState:
    """A Job as the controller sees it."""

    key: str
    """key of its step"""
    name: str
    uid: str
    phase: JobPhase
    created: str
    """when it was created (RFC 3339)"""
    owners: frozenset[str] = frozenset()
    """uids of the experiments that need it"""
    started: str | None = None
    """when it began to want pods, the last time that it was not suspended"""
    ended: str | None = None
    """when it was Complete or Failed"""
    wanted: int = 1
    """pods that it wants at once"""
    pods: int = 0
    """pods that run"""
    all_succeeded: bool = False
    """the work of all its pods is done; the Job itself says so about a second later"""
    attempts: int = 1
    """attempts that are charged, the present one included; evicted, preempted and lost pods are not"""
    reason: str | None = None
    """why it failed, in one word: BackoffLimitExceeded, PodFailurePolicy, DeadlineExceeded, …"""
    message: str = ""
    """why it failed: the last words of the step, or those of the Job controller"""
    exit_code: int | None = None
    """exit code of the last charged failure of a pod, whether the Job failed or goes on"""
    queue: str | None = None
    """queue of Kueue that it was given to"""

    @property
    def unfinished(self) -> bool:
        """It runs or may run, and nobody has told it to go: what there is to stop."""
        return self.phase in _UNFINISHED


def job_key(job: Mapping[str, Any]) -> str | None:
    """Return the key of the step that a Job computes, or None of a Job that is not ours."""
    key = ((job.get("metadata") or {}).get("annotations") or {}).get(KEY)
    return key if isinstance(key, str) and len(key) == _KEY_LENGTH else None


def is_over(job: Mapping[str, Any]) -> bool:
    """Tell whether there is nothing of a Job to stop: it is Complete or Failed, or was told to go."""
    conditions = (job.get("status") or {}).get("conditions") or ()
    ended = any(one["type"] in ("Complete", "Failed") and one["status"] == "True" for one in conditions)
    return ended or bool(job["metadata"].get("deletionTimestamp"))


def pods_by_job(pods: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Group pods by the uid of their Job; pods of no Job are left out."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for pod in pods:
        if uid := (pod["metadata"].get("labels") or {}).get(JOB_UID):
            found.setdefault(uid, []).append(pod)
    return found


def read_jobs(
    plan: Plan, jobs: Iterable[Mapping[str, Any]], pods: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, JobState]:
    """Read the Jobs of a plan's steps, by key.

    Parameters
    ----------
    plan : Plan
    jobs : Jobs of the experiment's namespace, whole or as `project_job` leaves them; those of other plans are passed
        over
    pods : their pods, by the uid of the Job (`pods_by_job`)
    """
    found: dict[str, JobState] = {}
    for job in jobs:
        key = job_key(job)
        if key is None or key not in plan.by_key:
            continue
        state = read_job(key, job, pods.get(job["metadata"]["uid"], ()))
        if key not in found or _rank(state) < _rank(found[key]):
            found[key] = state
    return found


def read_job(key: str, job: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> JobState:
    """Read one Job, whole or as `project_job` leaves it, and its pods."""
    metadata, spec, status = job["metadata"], job.get("spec") or {}, job.get("status") or {}
    labels = metadata.get("labels") or {}
    conditions = {one["type"]: one for one in status.get("conditions") or () if one["status"] == "True"}
    ended = conditions.get("Complete") or conditions.get("Failed") or {}
    wanted = spec.get("parallelism", 1)
    together = wanted if labels.get(STEP_KIND) == "train" else 1
    # The two watches are not in step: of pods that have not come yet, the Job's own count tells.
    run = max(running(pods), status.get("ready") or 0)
    reason, message, exit_code = _failure(conditions.get("Failed"), pods)
    return JobState(
        key=key,
        name=metadata["name"],
        uid=metadata["uid"],
        phase=_phase(metadata, spec, conditions, enough=run > 0 and run + (status.get("succeeded") or 0) >= together),
        created=metadata["creationTimestamp"],
        owners=frozenset(one["uid"] for one in metadata.get("ownerReferences") or ()),
        started=status.get("startTime"),
        ended=status.get("completionTime") or ended.get("lastTransitionTime"),
        wanted=wanted,
        pods=run,
        all_succeeded="Complete" in conditions or sum(map(has_succeeded, pods)) >= spec.get("completions", wanted),
        attempts=_attempts(status, together, failed="Failed" in conditions),
        reason=reason,
        message=message,
        exit_code=exit_code,
        queue=labels.get(QUEUE),
    )


def longest_running(states: Mapping[str, JobState]) -> list[str]:
    """List the keys of the running steps that a status shows, the longest-running first."""
    running = [key for key, state in states.items() if state.phase is JobPhase.RUNNING]
    return sorted(running, key=lambda key: (states[key].started or "", states[key].name))[:MOST_RUNNING]


def observe(
    states: Mapping[str, JobState], done: AbstractSet[str], missing: AbstractSet[str] = frozenset()
) -> Observed:
    """Build what `decide` looks at.

    Parameters
    ----------
    states : Jobs by key
    done : keys with a result in the store
    missing : keys whose Job is Complete, and whose result was asked for a few times and did not come
    """
    running: set[str] = set()
    failures: dict[str, tuple[int, ...]] = {}
    for key, state in states.items():
        if state.phase is JobPhase.FAILED or (state.phase is JobPhase.COMPLETE and key in missing):
            failures[key] = (ExitCode.INPUT.value,)  # the Job did the retrying: for good
        elif state.phase is not JobPhase.COMPLETE or key not in done:
            running.add(key)
    return Observed(done=done, running=running, failures=failures)


def _phase(
    metadata: Mapping[str, Any], spec: Mapping[str, Any], conditions: Mapping[str, Any], *, enough: bool
) -> JobPhase:
    if metadata.get("deletionTimestamp"):
        return JobPhase.DELETING
    if "Complete" in conditions:
        return JobPhase.COMPLETE
    if "Failed" in conditions:
        return JobPhase.FAILED
    if spec.get("suspend"):
        return JobPhase.SUSPENDED
    return JobPhase.RUNNING if enough else JobPhase.PENDING


def _attempts(status: Mapping[str, Any], together: int, *, failed: bool) -> int:
    """Count attempts: one pod each, or all the pods that work together; of a Job that goes on, the present one too."""
    ended = -(-(status.get("failed") or 0) // max(together, 1))
    return max(1, ended if failed else ended + 1)


def _failure(failed: Mapping[str, Any] | None, pods: Sequence[Mapping[str, Any]]) -> tuple[str | None, str, int | None]:
    """Return reason, message and exit code: the step's last words tell more than the Job controller's."""
    told = _exit_code_in(failed.get("message", "")) if failed else None
    exit_code, words = last_failure(pods, told)
    if failed is None:
        return None, words, exit_code
    reason = failed.get("reason", "Failed")
    return reason, words or f"{reason}: {failed.get('message', '')}", told if exit_code is None else exit_code


def _exit_code_in(message: str) -> int | None:
    """Read the code out of the Job controller's words, for when the pod is gone: `… failed with exit code 42 …`."""
    code = message.partition("failed with exit code ")[2].split(" ")[0]
    return int(code) if code.isdecimal() else None


def _rank(state: JobState) -> tuple[bool, str, str]:
    """Order Jobs of one key: one that stays before one that goes, then the older one."""
    return state.phase is JobPhase.DELETING, state.created, state.name
