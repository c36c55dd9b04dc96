"""What a running step may touch: its parameters, its inputs, scratch space, progress, and the wish to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from w2s_jobs.contracts.artifact import ArtifactRef, FileEntry, Progress
from w2s_jobs.contracts.errors import DependencyError, InputError, Stopped
from w2s_jobs.contracts.steps import Execution, StepSpec
from w2s_jobs.store.protocol import ArtifactStore
from w2s_jobs.watchdog import Watchdog

__all__ = ["Outcome", "StepContext"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What a step hands back to be published."""

    files: Mapping[str, Path] = field(default_factory=dict)
    """name -> local file, stored under the attempt"""
    parts: Mapping[str, FileEntry] = field(default_factory=dict)
    """name -> entry of a part that is already in the store (chunks of samples)"""
    metrics: Mapping[str, JsonValue] = field(default_factory=dict)
    """small numbers that depend only on the spec"""
    timings: Mapping[str, float] = field(default_factory=dict)
    """seconds by name; the runner adds `seconds` and `gpuSeconds` of the whole step"""
    versions: Mapping[str, str] = field(default_factory=dict)
    """versions of the libraries that computed it"""
    complete: bool = True
    """False when other shards are still at work: nothing is published"""


class StepContext:
    """One attempt at one step."""

    def __init__(
        self, spec: StepSpec, store: ArtifactStore, stop: threading.Event, watchdog: Watchdog | None = None
    ) -> None:
        self.watchdog = watchdog or Watchdog(None, log.error)
        self.spec = spec
        self.store = store
        self.ref = ArtifactRef(kind=spec.kind, key=spec.key)
        self.work_dir = Path(spec.execution.work_dir)
        self.is_fetching = False
        self._stop = stop
        self._last_progress = float("-inf")
        self._started = time.monotonic()
        self._first_done: int | None = None

    @property
    def execution(self) -> Execution:
        """How this attempt runs; nothing in it changes what is computed."""
        return self.spec.execution

    def inputs(self, role: str) -> list[Path]:
        """Fetch every input of a role, in the order of the spec; empty when the role is not given."""
        paths = []
        for index, item in enumerate(self.spec.inputs.get(role, ())):
            with self.fetching():
                paths.append(self.store.fetch(item, self.work_dir / "inputs" / role / str(index)))
        return paths

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """Fetch inside the block, where there is nothing to save: a step that is told to stop there leaves at once."""
        self.is_fetching = True
        try:
            self.stop_here("nothing was begun")
            yield
        finally:
            self.is_fetching = False
        self.watchdog.feed()

    def input(self, role: str) -> Path:
        """Fetch the one input of a role.

        Raises
        ------
        InputError
            The role has no input or more than one.
        """
        paths = self.inputs(role)
        if len(paths) != 1:
            raise InputError(
                f"step {self.ref}: role '{role}' needs exactly one input, got {len(paths)}; "
                f"roles given: {sorted(self.spec.inputs) or 'none'}"
            )
        return paths[0]

    def progress(self, done: int, total: int, unit: str) -> None:
        """Say how far the step is; written at most every `progressSeconds`, and when done equals total.

        Progress is shown, never needed: where the store cannot take it now, the step goes on.
        """
        self.watchdog.feed()
        now = time.monotonic()
        if self._first_done is None:
            self._first_done, self._started = done, now
        if done < total and now - self._last_progress < self.execution.progress_seconds:
            return
        self._last_progress = now
        elapsed = now - self._started
        rate = (done - self._first_done) / elapsed if elapsed > 0 else None
        progress = Progress(attempt=self.execution.attempt, done=done, total=total, unit=unit, rate=rate)
        try:
            self.store.write_progress(self.ref, progress)
        except DependencyError as error:
            log.warning("progress is not shown: %s", error)

    @property
    def stopping(self) -> bool:
        """True once SIGTERM came: commit what you have and call `stop_here`."""
        return self._stop.is_set()

    def wait(self, seconds: float) -> None:
        """Wait as long, or until the step is told to stop."""
        self._stop.wait(seconds)

    def stop_here(self, saved: str) -> None:
        """Raise `Stopped` (exit code 143) if the step was told to stop; `saved` says what is safe."""
        if self.stopping:
            raise Stopped(f"step {self.ref} was told to stop; {saved}. Run again to go on from there.")
