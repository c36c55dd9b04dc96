"""One pass over one experiment: observe, decide, apply, report.

Level-triggered: a pass never asks what woke it, and a pass that finds everything as it should be writes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from controller.api.reasons import Reason
from controller.errors import DoesNotFit, InvalidExperiment, PlanRefused
from controller.kube.errors import KubeError
from controller.operator.cluster import Cluster, Name
from controller.operator.lifetime import is_outlived, overdue, seconds_to_deadline, seconds_to_live, soonest, utc_now
from controller.operator.memory import Memory
from controller.operator.reporter import Reporter
from controller.operator.settled import key_of_success
from controller.operator.target import Installed, Target
from controller.plan.decide import decide
from controller.plan.graph import Step
from controller.plan.jobs import Owner, job_name
from controller.plan.standing.conditions import Situation
from controller.plan.standing.observe import JobPhase, JobState, is_over, longest_running, observe, read_jobs
from controller.plan.standing.quota import asks_for
from controller.plan.standing.scene import Scene
from w2s_jobs.contracts.errors import JobError

__all__ = ["Reconciler"]

log = logging.getLogger(__name__)

Object = Mapping[str, Any]
_PROGRESS_PAUSE = 5.0
"""Least seconds between two looks at the progress of an experiment's running steps"""
_PROGRESS_LOOKS = 4.0
"""Such looks a second for all experiments together, so that a controller with nothing to do stays idle"""
_REFUSED_PAUSE = 15.0
"""Seconds until a Job that a quota refused is tried again"""


class Reconciler:
    """Makes the cluster hold the Jobs that each experiment still needs, and says how it stands."""

    def __init__(
        self,
        cluster: Cluster,
        installed: Installed,
        reporter: Reporter,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._cluster = cluster
        self._installed = installed
        self._reporter = reporter
        self._now = now
        self._memories: dict[Name, tuple[str, Memory]] = {}
        self._running: set[Name] = set()
        """experiments at whose progress is looked"""

    def reconcile(self, name: Name) -> float | None:
        """Do one pass; return the seconds after which the next one is due, None when only a change makes one due.

        Raises
        ------
        KubeError
            The API server could not be asked, does not show all of the namespace, or the leadership is lost. What was
            done stays; a repeated pass goes on.
        """
        obj = self._cluster.experiments.get(*name)
        if obj is None or obj["metadata"].get("deletionTimestamp"):
            self._forget(name)
            return None
        self._cluster.check_seen(name.namespace)
        if is_outlived(obj, self._now()):
            self._cluster.delete_experiment(obj)
            return None
        memory = self._memory(name, obj["metadata"]["uid"])
        try:
            target = self._installed.target(name, obj)
        except (InvalidExperiment, PlanRefused) as refused:
            return self._refuse(name, obj, refused, memory)
        if key_of_success(obj) not in (None, target.plan.report):
            return self._keep(name, obj)
        return self._work(target, memory)

    def _work(self, target: Target, memory: Memory) -> float | None:
        """Observe, decide, apply, report."""
        try:
            scene = self._observe(target, memory)
        except JobError as error:
            return self._without_store(target, memory, error)
        memory.note_reached()
        self._apply(target, scene, memory)
        due = self._reporter.report(target, scene, memory)
        return soonest(due, memory.next_question, *self._next_looks(target, scene, memory))

    def _refuse(
        self, name: Name, obj: Object, refused: InvalidExperiment | PlanRefused, memory: Memory
    ) -> float | None:
        """Stop and report an experiment that cannot be compiled; one that has succeeded is past that."""
        if key_of_success(obj) is not None:
            return self._keep(name, obj)
        self._leave_all(obj)
        return self._reporter.refuse(name, obj, _situation(refused), memory)

    def _keep(self, name: Name, obj: Object) -> float | None:
        """Leave an experiment that has succeeded as it is, though it would be another plan today, or none."""
        log.info(
            "succeeded under other versions of w2s or of its installation; left as it is until its spec changes",
            extra={"experiment": name.name, "namespace": name.namespace},
        )
        self._reporter.forget(name)
        return seconds_to_live(obj, self._now())

    def _observe(self, target: Target, memory: Memory) -> Scene:
        """Look at Jobs and pods, and ask the store for what is not known."""
        plan, artifacts = target.plan, target.artifacts
        if memory.must_refresh(target.about.generation):
            artifacts.refresh(plan.steps)
            memory.note_refresh(target.about.generation)
        pods, jobs = self._jobs(target)
        done = artifacts.outcomes(plan)
        complete = {key for key, job in jobs.items() if job.all_succeeded and key not in done}
        if asked := memory.to_ask(complete):
            artifacts.refresh([plan.step(key) for key in asked])
            done = artifacts.outcomes(plan)
            memory.note_answers(asked, done.keys())
        observed = observe(jobs, frozenset(done), memory.missing)
        decision = decide(plan, observed)
        over = decision.succeeded or decision.finished
        uids = [job.uid for job in jobs.values()]
        return Scene(
            plan=plan,
            observed=observed,
            decision=decision,
            jobs=jobs,
            pods=pods,
            workloads=self._cluster.workloads_of(uids),
            refusals=self._cluster.refusals_of(uids),
            refused=memory.refused,
            outcomes=done,
            report=artifacts.report(plan) if plan.report in done else None,
            trouble=None if over else overdue(target.about, target.spec.active_deadline_seconds, self._now()),
            progress=artifacts.progress([plan.step(key) for key in longest_running(jobs)]),
        )

    def _without_store(self, target: Target, memory: Memory, error: JobError) -> float | None:
        """Report a store that cannot be asked. What runs goes on, but where the experiment says that nothing is to."""
        late = overdue(target.about, target.spec.active_deadline_seconds, self._now())
        if target.spec.suspend or late is not None:
            self._leave_all(target.obj)
        situation = Situation(Reason.STORE_UNAVAILABLE, str(error))
        due = self._reporter.lack_store(target, situation, memory)
        return soonest(due, memory.note_unreachable())

    def _jobs(self, target: Target) -> tuple[dict[str, Sequence[Object]], dict[str, JobState]]:
        namespace, store = target.name.namespace, target.context.store
        found = [self._cluster.jobs.get(namespace, job_name(step, store)) for step in target.plan.steps]
        jobs = [job for job in found if job is not None]
        pods: dict[str, Sequence[Object]] = {job["metadata"]["uid"]: self._cluster.pods_of(job) for job in jobs}
        return pods, read_jobs(target.plan, jobs, pods)

    def _apply(self, target: Target, scene: Scene, memory: Memory) -> None:
        """Make the cluster hold the Jobs that are still needed, each owned by this experiment, and no other of ours."""
        wanted = self._wanted(target, scene, memory)
        memory.keep_refused({step.key for step in wanted})
        kept = {job_name(step, target.context.store) for step in wanted}
        kept |= {job.name for job in scene.jobs.values() if not job.unfinished}
        kept |= {scene.jobs[key].name for key in self._ending(target, scene, memory)}
        for job in self._cluster.owned_jobs(target.uid):
            if job["metadata"]["name"] not in kept and not is_over(job):
                self._cluster.leave(job, target.context.owner)
        for step in wanted:
            state = scene.jobs.get(step.key)
            if state is None:
                self._start(step, target, memory)
            elif target.uid not in state.owners and state.phase is not JobPhase.DELETING:
                self._cluster.join_step(step, target.context, state.uid)

    def _wanted(self, target: Target, scene: Scene, memory: Memory) -> list[Step]:
        """List the steps that are to have a Job: needed ones that have one, and as many more as there is room."""
        if target.spec.suspend or scene.trouble is not None:
            return []
        plan, decision = target.plan, scene.decision
        out = {*decision.stop, *scene.surplus}
        held = [step for step in plan.steps if step.key in scene.observed.running and step.key not in out]
        failed = [plan.step(key) for key in decision.failed]
        limit = target.spec.max_parallel_steps
        room = len(decision.start) if limit is None else max(0, limit - len(held))
        if scene.full:
            memory.note_quota(scene.full)
        return [*held, *failed, *_within_quota(scene, memory.tight)[:room]]

    def _ending(self, target: Target, scene: Scene, memory: Memory) -> frozenset[str]:
        """List the finished steps whose Jobs are about to end by themselves; none where everything is to stop."""
        if target.spec.suspend or scene.trouble is not None:
            return memory.may_end(())
        return memory.may_end(key for key, job in scene.jobs.items() if job.unfinished and key in scene.observed.done)

    def _start(self, step: Step, target: Target, memory: Memory) -> None:
        """Create the Job of a step; what the API server says when it refuses is kept for the status."""
        try:
            self._cluster.start_step(step, target.context)
        except KubeError as refused:
            if not refused.is_refusal:
                raise
            memory.refused[step.key] = str(refused)
            return
        memory.refused.pop(step.key, None)
        log.info(
            "Job %s created",
            job_name(step, target.context.store),
            extra={"experiment": target.name.name, "namespace": target.name.namespace, "step": step.name},
        )
        self._reporter.metrics.started.labels(step.kind).inc()

    def _leave_all(self, obj: Object) -> None:
        """Stop what an experiment runs that cannot be compiled any more."""
        uid = obj["metadata"]["uid"]
        for job in self._cluster.owned_jobs(uid):
            if not is_over(job):
                self._cluster.leave(job, Owner(obj["metadata"]["name"], uid, obj["metadata"]["namespace"]))

    def _next_looks(self, target: Target, scene: Scene, memory: Memory) -> Iterator[float | None]:
        """Yield when to look again at what no watch tells: progress, refused Jobs, the deadline, the end of life."""
        if scene.running or memory.ending:
            self._running.add(target.name)
            yield max(_PROGRESS_PAUSE, len(self._running) / _PROGRESS_LOOKS)
        else:
            self._running.discard(target.name)
        yield _REFUSED_PAUSE if memory.refused else None
        yield seconds_to_deadline(target.about, scene, target.spec.active_deadline_seconds, self._now())

    def _memory(self, name: Name, uid: str) -> Memory:
        known, memory = self._memories.get(name, ("", Memory()))
        if known != uid:  # another experiment of the same name
            memory = Memory()
            self._memories[name] = (uid, memory)
        return memory

    def _forget(self, name: Name) -> None:
        self._memories.pop(name, None)
        self._running.discard(name)
        self._reporter.forget(name)


def _within_quota(scene: Scene, tight: frozenset[str]) -> list[Step]:
    """Return the steps that may have a Job now: of those that ask for what is tight one, once the last has its pods.

    The Job controller tries a refused pod again after pauses of up to a minute, each Job for itself: many of them would
    leave the quota empty between the steps.
    """
    asking = [step.key for step in scene.decision.start if asks_for(step, tight)]
    before = {*scene.held_by_quota, *scene.without_pods}
    is_taken = any(asks_for(scene.plan.step(key), tight) for key in before)
    kept_back = {*(asking if is_taken else asking[1:])}
    return [step for step in scene.decision.start if step.key not in kept_back]


def _situation(refused: InvalidExperiment | PlanRefused) -> Situation:
    if isinstance(refused, DoesNotFit):
        return Situation(Reason.DOES_NOT_FIT, "; ".join(refused.problems))
    if isinstance(refused, PlanRefused):
        return Situation(Reason.PLAN_REFUSED, str(refused))
    return Situation(Reason.INVALID_SPEC, "; ".join(refused.problems))
