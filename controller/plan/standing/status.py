"""Scene -> status. A projection: the same scene gives the same status, whatever stood there before but for its times.

Lists are bounded and their order is a function of the scene, so that a pass that finds nothing new writes nothing.
"""

from __future__ import annotations

from controller.api.reasons import Reason, WaitReason
from controller.api.status import (
    MOST_FAILED,
    MOST_RUNNING,
    MOST_WAITING,
    ExperimentStatus,
    FailedStep,
    RunningStep,
    StepCounts,
    WaitingStep,
)
from controller.plan.graph import Step
from controller.plan.standing.conditions import Situation, Times, build_conditions
from controller.plan.standing.outcomes import build_results, gpu_seconds
from controller.plan.standing.scene import About, Scene, failed_for_good
from controller.plan.standing.waiting import Wait
from controller.plan.standing.words import clip, count, listed

__all__ = ["project_status", "project_trouble"]

_LONGEST_NAME = 200
_HARD = frozenset({WaitReason.CONFIGURATION, WaitReason.IMAGE, WaitReason.POD_REFUSED})
"""Reasons that never pass by themselves; a quota or busy nodes may"""
_PLACES = {reason: place for place, reason in enumerate(WaitReason)}


def project_status(about: About, scene: Scene, previous: ExperimentStatus | None, now: str) -> ExperimentStatus:
    """Project a status. Of `previous` only times are taken; `now` (RFC 3339) is for what changed."""
    before = previous or ExperimentStatus()
    waits = _waits(about, scene)
    situation = _situation(about, scene, waits)
    ended = _ended(scene, about)
    counts = _counts(scene, about)
    spent, saved = gpu_seconds(scene.plan, scene.outcomes, scene.ours(about.uid))
    return ExperimentStatus(
        conditions=build_conditions(situation, before.conditions, about.generation, Times(now, about.created, ended)),
        observed_generation=about.generation,
        progress=f"{counts.done}/{counts.total}",
        started=before.started or min(_own(scene, about, "created"), default=now),
        finished=(before.finished or ended or now) if situation.ended else None,
        steps=counts,
        running=_running(scene),
        waiting=tuple(_waiting(scene, step, wait) for step, wait in waits[:MOST_WAITING]),
        failed=tuple(_failed(scene, scene.plan.step(key)) for key in scene.decision.failed[:MOST_FAILED]),
        results=build_results(scene.plan, scene.outcomes, scene.report),
        gpu_seconds_spent=spent,
        gpu_seconds_saved=saved,
        store=about.store,
        writes=before.writes,
    )


def project_trouble(
    about: About, situation: Situation, previous: ExperimentStatus | None, now: str
) -> ExperimentStatus:
    """Project the status of an experiment without a plan: not compiled yet, refused, or its store cannot be asked.

    While the store is away nothing is known of the steps, so what the status said of them stays.
    """
    before = previous or ExperimentStatus()
    kept = before if situation.reason is Reason.STORE_UNAVAILABLE else ExperimentStatus(started=before.started)
    return kept.model_copy(
        update={
            "conditions": build_conditions(situation, before.conditions, about.generation, Times(now, about.created)),
            "observed_generation": about.generation,
            "finished": (before.finished or now) if situation.ended else None,
            "store": about.store,
            "writes": before.writes,
        }
    )


def _situation(about: About, scene: Scene, waits: list[tuple[Step, Wait]]) -> Situation:
    """Say what holds for the experiment as a whole."""
    decision = scene.decision
    if decision.succeeded:
        where = f"the report is at {scene.report.uri}" if scene.report else "the report is in the store"
        said = scene.report.headline if scene.report else None
        return Situation(Reason.ALL_STEPS_SUCCEEDED, f"{said}; {where}" if said else where)
    if scene.trouble is not None:
        return scene.trouble
    if about.suspend:
        return Situation(Reason.SUSPENDED_BY_SPEC, _suspended(about, scene))
    if decision.failed and decision.finished:
        return Situation(Reason.STEP_FAILED, _failure(scene))
    failed = f"; {count(len(decision.failed), 'step')} failed" if decision.failed else ""
    if scene.running:
        return Situation(
            Reason.STEPS_RUNNING,
            f"{count(len(scene.running), 'step')} running, {len(scene.waiting)} waiting{failed}",
        )
    first = f": {waits[0][0].name}: {waits[0][1].reason}: {waits[0][1].message}" if waits else ""
    ready = [wait.reason for _, wait in waits if wait.reason is not WaitReason.DEPENDENCIES]
    stuck = bool(ready) and all(reason in _HARD for reason in ready)
    return Situation(Reason.STEPS_WAITING, f"{count(len(scene.waiting), 'step')} waiting{failed}{first}", stuck)


def _suspended(about: About, scene: Scene) -> str:
    going = [state for key, state in scene.jobs.items() if key in scene.observed.running and about.uid in state.owners]
    done = "all its Jobs are gone" if not going else f"{count(len(going), 'Job')} still ending"
    return f"spec.suspend is true; {done}; what steps had saved is kept"


def _failure(scene: Scene) -> str:
    """Name the first failed step, what it said, what it holds up, and how to go on."""
    decision, plan = scene.decision, scene.plan
    key = decision.failed[0]
    state = scene.jobs.get(key)
    words = failed_for_good(state)
    names = listed([plan.step(one).name for one in decision.failed])
    blocked = f"; {count(len(decision.blocked), 'step')} cannot run without" if decision.blocked else ""
    retry = f"; to try again: kubectl delete job {state.name}" if state else ""
    return f"failed: {names}{blocked}{retry}; {clip(words, 600)}"


def _counts(scene: Scene, about: About) -> StepCounts:
    """Count the steps: done is what is left when those that are still open, failed or blocked are taken away."""
    decision = scene.decision
    gone = {*scene.running, *scene.waiting, *decision.failed, *decision.blocked}
    done = [step.key for step in scene.plan.steps if step.key not in gone]
    ours = scene.ours(about.uid)
    return StepCounts(
        total=len(scene.plan.steps),
        done=len(done),
        reused=sum(key not in ours for key in done),
        running=len(scene.running),
        waiting=len(scene.waiting),
        failed=len(decision.failed),
        blocked=len(decision.blocked),
    )


def _running(scene: Scene) -> tuple[RunningStep, ...]:
    """List the running steps, the longest-running first."""
    ordered = sorted(scene.running, key=lambda key: (scene.jobs[key].started or "", scene.jobs[key].name))
    return tuple(_running_step(scene, scene.plan.step(key)) for key in ordered[:MOST_RUNNING])


def _running_step(scene: Scene, step: Step) -> RunningStep:
    state = scene.jobs[step.key]
    progress = scene.progress.get(step.key)
    if progress and progress.attempt not in {pod["metadata"]["uid"] for pod in scene.pods_of(step.key)}:
        progress = None  # of an attempt that is over: what it had saved may be less
    return RunningStep(
        name=clip(step.name, _LONGEST_NAME),
        job=state.name,
        started=state.started,
        pods=state.pods,
        attempts=state.attempts,
        done=progress.done if progress else None,
        total=progress.total if progress else None,
        unit=clip(progress.unit, 32) if progress else None,
        rate=float(f"{progress.rate:.3g}") if progress and progress.rate is not None else None,
    )


def _waits(about: About, scene: Scene) -> list[tuple[Step, Wait]]:
    """Say for each waiting step why, those that need a person first. Of a suspended experiment nothing: it says so."""
    if about.suspend or (scene.trouble is not None and scene.trouble.ended):
        return []
    steps = [scene.plan.step(key) for key in scene.waiting]
    waits = [(step, scene.wait(step, about.max_parallel_steps)) for step in steps]
    return sorted(waits, key=lambda one: (_PLACES[one[1].reason], scene.plan.position(one[0])))


def _waiting(scene: Scene, step: Step, wait: Wait) -> WaitingStep:
    state = scene.jobs.get(step.key)
    return WaitingStep(
        name=clip(step.name, _LONGEST_NAME),
        job=state.name if state else None,
        attempts=state.attempts if state else 1,
        reason=wait.reason,
        message=wait.message,
    )


def _failed(scene: Scene, step: Step) -> FailedStep:
    state = scene.jobs.get(step.key)
    return FailedStep(
        name=clip(step.name, _LONGEST_NAME),
        job=state.name if state else None,
        exit_code=state.exit_code if state else None,
        message=clip(failed_for_good(state)),
    )


def _own(scene: Scene, about: About, what: str) -> list[str]:
    """List when the experiment's own Jobs were `created` or `ended`, where the cluster tells."""
    times = (getattr(scene.jobs[key], what) for key in scene.ours(about.uid))
    return [time for time in times if time]


def _ended(scene: Scene, about: About) -> str | None:
    """Return when the last Job of the experiment ended, or None where it has none that ended."""
    return max(_own(scene, about, "ended"), default=None)
