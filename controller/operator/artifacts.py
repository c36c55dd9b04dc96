"""What the stores hold of the plans' steps. Only small JSON is read: results, progress, the report's results.

A result never changes once it is written, so it is read once and remembered. That a step is done is believed for as
long as nobody asks anew: `refresh` looks again, which is what a new experiment does (somebody may have invalidated it).
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from controller.errors import InvalidExperiment
from controller.operator.cluster import Name
from controller.plan.graph import Plan, Step
from controller.plan.standing.outcomes import Report, StepOutcome, read_report
from controller.settings import Installation, Store
from w2s_jobs.contracts.artifact import ArtifactRef, Input, Progress
from w2s_jobs.contracts.errors import DependencyError, JobError
from w2s_jobs.store.open import open_store
from w2s_jobs.store.protocol import ArtifactStore

__all__ = ["Artifacts", "Stores"]

_THREADS = 16
_FRESH_SECONDS = 60.0
"""How long a result that was seen is taken to be there without looking again"""
_PROGRESS_SECONDS = 2.0
_AWAY_SECONDS = 10.0
"""How long a store that did not answer is not asked again"""
_MOST = 200_000

_Answer = TypeVar("_Answer")


class Stores:
    """The stores of an installation, each opened once."""

    def __init__(self, installation: Installation) -> None:
        self._declared = {store.name: store for store in installation.stores}
        self._default = installation.default_store
        self._artifacts: dict[str, Artifacts] = {}
        self._lock = threading.Lock()

    def choose(self, name: str | None, experiment: Name) -> Store:
        """Return the store that an experiment names, or the default one.

        Raises
        ------
        InvalidExperiment
            There is no such store, or this namespace may not use it.
        """
        namespace = experiment.namespace
        wanted = name or self._default
        store = self._declared.get(wanted or "")
        allowed = sorted(
            one.name for one in self._declared.values() if not one.namespaces or namespace in one.namespaces
        )
        if store is None or store.name not in allowed:
            asked = "no store is named and the installation has no default" if wanted is None else f"got {wanted!r}"
            raise InvalidExperiment(
                str(experiment),
                [
                    f"spec.storage.name: expected a store of this installation that namespace {namespace} may use "
                    f"({', '.join(allowed) or 'none'}); {asked}. Name one of them, or have one added to the settings"
                ],
            )
        return store

    def open(self, store: Store) -> Artifacts:
        """Return what is known of a store."""
        with self._lock:
            if store.name not in self._artifacts:
                self._artifacts[store.name] = Artifacts(open_store(store.settings), store.settings.uri)
            return self._artifacts[store.name]


class Artifacts:
    """What is known of one store. Threads share it."""

    def __init__(self, store: ArtifactStore, uri: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._uri = uri
        self._clock = clock
        self._lock = threading.Lock()
        self._outcomes: dict[str, StepOutcome] = {}
        self._seen: dict[str, float] = {}
        """when a key was last seen to be done"""
        self._progress: dict[str, tuple[float, Progress | None]] = {}
        self._reports: dict[str, Report] = {}
        self._away: DependencyError | None = None
        """why the store could not be asked last, while that is believed"""
        self._away_until = float("-inf")
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="store")

    def outcomes(self, plan: Plan) -> dict[str, StepOutcome]:
        """Return what is known to be done, by key, without asking the store."""
        return {step.key: self._outcomes[step.key] for step in plan.steps if step.key in self._outcomes}

    def refresh(self, steps: Iterable[Step]) -> None:
        """Ask the store for the results of these steps, unless they were seen a moment ago.

        Raises
        ------
        JobError
            The store cannot be reached, or refuses the credentials.
        """
        now = self._clock()
        asked = [step for step in steps if now - self._seen.get(step.key, float("-inf")) > _FRESH_SECONDS]
        if len(asked) == 1:
            self._ask(asked[0])
        else:
            list(self._pool.map(self._ask, asked))

    def progress(self, steps: Iterable[Step]) -> dict[str, Progress]:
        """Return how far steps are, at most two seconds old, by key; those of which nothing can be read now are out."""
        asked = list(steps)
        read = self._pool.map(self._read_progress, asked) if len(asked) > 1 else map(self._read_progress, asked)
        return {step.key: progress for step, progress in zip(asked, read, strict=True) if progress is not None}

    def report(self, plan: Plan) -> Report:
        """Return what a status shows of a finished plan's report."""
        step = plan.step(plan.report)
        with self._lock:
            if step.key in self._reports:
                return self._reports[step.key]
        uri = f"{self._uri.rstrip('/')}/{step.kind}/{step.key}/"
        results = read_report(plan, self._read_json(step.ref, "results.json"), uri)
        with self._lock:
            self._reports[step.key] = results
            if len(self._reports) > _MOST // 200:
                self._reports.pop(next(iter(self._reports)))
        return results

    def _read_json(self, ref: ArtifactRef, file: str) -> Mapping[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            path = self._store.fetch(Input(kind=ref.kind, key=ref.key, file=file), Path(folder))
            content: Mapping[str, Any] = json.loads(path.read_bytes())
        return content

    def _when_there(self, ask: Callable[[], _Answer]) -> _Answer:
        """Ask the store; one that did not answer a moment ago costs nobody its time-outs again.

        Passes over experiments with other stores would wait behind them.
        """
        with self._lock:
            if self._away is not None and self._clock() < self._away_until:
                raise self._away
        try:
            answer = ask()
        except DependencyError as error:
            with self._lock:
                self._away, self._away_until = error, self._clock() + _AWAY_SECONDS
            raise
        with self._lock:
            self._away = None
        return answer

    def _read_progress(self, step: Step) -> Progress | None:
        now = self._clock()
        with self._lock:
            read, progress = self._progress.get(step.key, (float("-inf"), None))
        if now - read < _PROGRESS_SECONDS:
            return progress
        try:
            progress = self._when_there(lambda: self._store.read_progress(step.ref))
        except JobError:  # progress is shown, never needed
            progress = None
        with self._lock:
            self._progress[step.key] = (now, progress)
        return progress

    def _ask(self, step: Step) -> None:
        result = self._when_there(lambda: self._store.read_result(step.ref))
        with self._lock:
            if result is None:
                self._outcomes.pop(step.key, None)
                self._seen.pop(step.key, None)
                return
            self._outcomes[step.key] = StepOutcome(metrics=result.metrics, timings=result.timings)
            self._seen[step.key] = self._clock()
            self._progress.pop(step.key, None)
            if len(self._outcomes) > _MOST:
                oldest = next(iter(self._outcomes))
                self._outcomes.pop(oldest)
                self._seen.pop(oldest, None)
