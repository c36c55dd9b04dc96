"""Runs a plan as processes: observe, decide, start, sleep until something happens.

What runs next is decided by `controller.plan.decide`, the same code that the cluster controller asks. This file only
makes this machine follow it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from controller.errors import RunFailed
from controller.local.log_tail import error_of, read_tail
from controller.local.machine import Machine, Room, Share
from controller.local.process import WORKER, Launch, StepProcess, start_process
from controller.local.run_folder import RunFolder
from controller.local.standing import Outcome, Standing
from controller.local.step_spec import Start, build_spec, label_of
from controller.local.view import Counts, Failure, RunningStep, View
from controller.local.wakeup import Wakeup
from controller.plan.decide import Decision, RetryPolicy, decide
from controller.plan.graph import Plan, Step
from w2s_jobs.contracts.errors import DependencyError, ExitCode, JobError
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.protocol import ArtifactStore

__all__ = ["Executor", "Site"]


@dataclass(frozen=True)
class Site:
    """Where a run happens."""

    store: ArtifactStore
    store_settings: StoreSettings
    """how the steps' processes open the same store"""
    folder: RunFolder
    machine: Machine
    worker: Sequence[str] = WORKER
    """command of a step, without its arguments"""
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    grace_seconds: float = 30.0
    """seconds that steps get to save what they have when the run is stopped"""


class Executor:
    """One run of one plan. `run` is the whole story; everything else is called by name from there."""

    def __init__(self, plan: Plan, site: Site, view: View) -> None:
        self._plan = plan
        self._site = site
        self._view = view
        self._room = Room(site.machine)
        self._standing = Standing(plan)
        self._processes: list[StepProcess] = []
        self._queue: list[tuple[Step, int]] = []
        """shards of started steps that have no room yet"""
        self._shard_failed: set[str] = set()
        """keys of started steps of which a process has failed since"""
        self._failed_at: dict[str, float] = {}
        self._started = time.monotonic()

    def run(self) -> Outcome:
        """Run until the report is there, nothing more can run, or a signal says stop."""
        with self._site.folder.hold() as leftovers, Wakeup() as wakeup, self._view:
            if leftovers:
                self._view.say(f"ended {leftovers} processes that an earlier, killed run had left behind")
            self._observe_store()
            try:
                while True:
                    decision = self._decide()
                    self._stop_unneeded(decision)
                    resting = self._enqueue(decision)
                    self._fill_room()
                    counts = self._draw(decision)
                    if decision.finished or wakeup.stop_signal:
                        break
                    wakeup.wait(_soonest(resting, self._view.redraw_seconds))
                    self._collect()
                if wakeup.stop_signal:
                    return self._stop(wakeup, decision)
                return self._standing.outcome(decision, counts, self._elapsed())
            finally:
                self._kill_all()

    def _observe_store(self) -> None:
        refs = {step.ref: step.key for step in self._plan.steps}
        self._standing.reused = {refs[ref] for ref in self._site.store.finished(refs)}
        if self._standing.reused:
            self._view.say(f"reused    {len(self._standing.reused)} of {len(self._plan.steps)} steps: done before")
        decision = self._decide()
        self._demand_gpus([*decision.start, *(self._plan.step(key) for key in decision.waiting)])

    def _demand_gpus(self, steps: Sequence[Step]) -> None:
        """Refuse before anything is spent on a run that this machine cannot end."""
        have = len(self._site.machine.gpus)
        for step in steps:
            if step.resources.all_gpus > have:
                raise RunFailed(
                    f"step '{step.name}' needs {step.resources.all_gpus} GPUs, this machine offers {have}. "
                    "Run on a machine that has them, or ask for fewer in the manifest's placement."
                )

    def _decide(self) -> Decision:
        return decide(self._plan, self._standing.observed(self._active()), self._site.policy)

    def _active(self) -> set[str]:
        return {process.spec.key for process in self._processes} | self._queued()

    def _queued(self) -> set[str]:
        return {step.key for step, _ in self._queue}

    def _stop_unneeded(self, decision: Decision) -> None:
        self._queue = [(step, shard) for step, shard in self._queue if step.key not in decision.stop]
        for process in self._processes:
            if process.spec.key in decision.stop:
                process.terminate()

    def _enqueue(self, decision: Decision) -> list[float]:
        """Queue what starts now; return the seconds that the others still rest."""
        resting = []
        for step in decision.start:
            rest = decision.requeue_after.get(step.key, 0.0) - (time.monotonic() - self._failed_at.get(step.key, 0.0))
            if step.key in decision.requeue_after and rest > 0:
                resting.append(rest)
                continue
            self._shard_failed.discard(step.key)
            self._queue.extend((step, shard) for shard in range(step.shards))
        return resting

    def _fill_room(self) -> None:
        """Start what there is room for, in the order of the queue; a small step may pass a large one."""
        left = []
        for step, shard in self._queue:
            share = self._room.take(step.resources.threads, step.resources.all_gpus)
            if share is None:
                left.append((step, shard))
            else:
                self._start(step, shard, share)
        self._queue = left

    def _start(self, step: Step, shard: int, share: Share) -> None:
        folder = self._site.folder
        label = label_of(step, shard)
        number = folder.next_attempt(label)
        attempt = f"{number}-{secrets.token_hex(4)}"
        start = Start(attempt, shard, share, folder.work_dir(label, attempt))
        spec = build_spec(step, self._site.store_settings, start)
        launch = Launch(spec, label, number, share, folder)
        self._processes.append(start_process(launch, self._site.worker))
        if shard == 0:
            self._view.started(step.name, number)

    def _collect(self) -> None:
        """Take note of the processes that ended."""
        for process in list(self._processes):
            code = process.ended()
            if code is None:
                continue
            self._processes.remove(process)
            self._room.give_back(process.launch.share)
            process.clean_up(code)
            self._judge(self._plan.step(process.spec.key), process, code)

    def _judge(self, step: Step, process: StepProcess, code: int) -> None:
        """Decide what an ended process means for its step: only the store says that a step is done."""
        if self._is_done(step):
            if step.key not in self._standing.computed:
                self._standing.computed.add(step.key)
                self._view.finished(step.name, process.seconds(), self._counts(self._decide()))
        elif code != ExitCode.DONE:
            self._fail(step, process, code)
        elif step.key not in self._active() and step.key not in self._shard_failed:
            self._fail(step, process, code)  # all its processes ended well, and yet there is no result

    def _is_done(self, step: Step) -> bool:
        try:
            return bool(self._site.store.finished([step.ref]))
        except DependencyError:  # the next attempt finds the result, if there is one, and ends at once
            return False

    def _fail(self, step: Step, process: StepProcess, code: int) -> None:
        message, rest = error_of(read_tail(process.launch.log), code)
        failure = Failure(step.name, process.launch.number, code, process.launch.log, message, tuple(rest))
        self._standing.last_failure[step.key] = failure
        codes = self._standing.exit_codes[step.key]
        # Shards fail together when what they need is gone: that is one failure of the step.
        if step.key not in self._shard_failed or code == ExitCode.INPUT:
            codes.append(code or ExitCode.CRASHED)
        self._shard_failed.add(step.key)
        self._failed_at[step.key] = time.monotonic()
        final = self._site.policy.gives_up(codes)
        self._view.failed(failure, None if final else self._site.policy.rest(codes))

    def _counts(self, decision: Decision) -> Counts:
        return self._standing.counts(decision, {process.spec.key for process in self._processes}, self._queued())

    def _draw(self, decision: Decision) -> Counts:
        counts = self._counts(decision)
        if self._view.redraw_seconds is not None:
            running = dict.fromkeys(process.spec.key for process in self._processes)
            self._view.refresh(counts, [self._running_step(key) for key in running], self._elapsed())
        return counts

    def _running_step(self, key: str) -> RunningStep:
        step = self._plan.step(key)
        own = [process for process in self._processes if process.spec.key == key]
        try:
            progress = self._site.store.read_progress(step.ref)
        except JobError:  # progress is shown, never needed
            progress = None
        attempts = {process.spec.execution.attempt for process in own}
        return RunningStep(
            name=step.name,
            processes=len(own),
            seconds=max(process.seconds() for process in own),
            progress=progress if progress and progress.attempt in attempts else None,
        )

    def _stop(self, wakeup: Wakeup, decision: Decision) -> Outcome:
        """Let every step save what it has, for as long as the grace lasts; a second signal ends it at once."""
        self._queue.clear()
        stopping = list(self._processes)
        if stopping:
            self._view.say(f"stopping {len(stopping)} running steps; press Ctrl-C again to end them at once")
        for process in stopping:
            process.terminate()
        deadline = time.monotonic() + self._site.grace_seconds
        saved = []
        while self._processes and wakeup.stop_count < 2 and (left := deadline - time.monotonic()) > 0:
            wakeup.wait(left)
            for process in [p for p in self._processes if p.ended() is not None]:
                self._processes.remove(process)
                process.clean_up(ExitCode.STOPPED)
                if self._is_done(self._plan.step(process.spec.key)):
                    self._standing.computed.add(process.spec.key)
                else:
                    saved.append(error_of(read_tail(process.launch.log), ExitCode.STOPPED)[0].removeprefix("error: "))
        counts = self._standing.counts(decision, set(), set())
        return Outcome(counts, stopped_by=wakeup.stop_signal, saved=tuple(saved), seconds=self._elapsed())

    def _kill_all(self) -> None:
        for process in self._processes:
            process.kill()
            process.clean_up(ExitCode.STOPPED)
        self._processes.clear()

    def _elapsed(self) -> float:
        return time.monotonic() - self._started


def _soonest(resting: Sequence[float], redraw: float | None) -> float | None:
    return min([*resting, *([] if redraw is None else [redraw])], default=None)
