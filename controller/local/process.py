"""One attempt at one step (or one shard of it) as a process of this machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from controller.local.machine import Share
from controller.local.run_folder import RunFolder
from controller.local.tether import ATTEMPT_MARK, RUN_MARK, end_marked, tether
from w2s_jobs.contracts.keys import canonical_json
from w2s_jobs.contracts.steps import StepSpec

__all__ = ["WORKER", "Launch", "StepProcess", "start_process"]

WORKER = (sys.executable, "-u", "-P", "-m", "w2s_jobs")
"""command of a step; -P keeps a file of the user's folder from standing in for a library"""


@dataclass(frozen=True)
class Launch:
    """What an attempt is started with."""

    spec: StepSpec
    label: str
    number: int
    """number of the attempt among those of this folder"""
    share: Share
    folder: RunFolder

    @property
    def log(self) -> Path:
        """File that gets all that the process prints."""
        return self.folder.log(self.label, self.number)

    @property
    def mark(self) -> str:
        """Value of ATTEMPT_MARK in the environment of the process and of all that it starts."""
        return f"{self.spec.key}/{self.spec.execution.attempt}"


@dataclass
class StepProcess:
    """A running attempt."""

    launch: Launch
    popen: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)

    @property
    def spec(self) -> StepSpec:
        """The spec that it was started with."""
        return self.launch.spec

    def seconds(self) -> float:
        """Return how long ago it was started."""
        return time.monotonic() - self.started

    def ended(self) -> int | None:
        """Return the exit code as a shell writes it (128 + signal), or None while the process runs."""
        code = self.popen.poll()
        return 128 - code if code is not None and code < 0 else code

    def terminate(self) -> None:
        """Ask the step to save what it has and to exit."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the step and all that it started, now."""
        self._signal(signal.SIGKILL)
        self.popen.wait()

    def clean_up(self, code: int) -> None:
        """Remove what the attempt leaves behind; after a failure also the processes that it did not end itself."""
        if code != 0:
            end_marked(ATTEMPT_MARK, self.launch.mark, grace=1)
        shutil.rmtree(self.spec.execution.work_dir, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.popen.pid, number)
        except ProcessLookupError:
            return


def start_process(launch: Launch, worker: Sequence[str] = WORKER) -> StepProcess:
    """Write the spec file and start the attempt in its own process group."""
    spec = launch.spec
    spec_file = launch.folder.spec(launch.label, launch.number)
    Path(spec.execution.work_dir).mkdir(parents=True, exist_ok=True)
    # In the order of a Job's annotation: what a step computes could depend on that of a mapping, which no key knows.
    spec_file.write_text(canonical_json(spec.model_dump(mode="json", by_alias=True)))
    with launch.log.open("wb") as log:
        popen = subprocess.Popen(
            [*worker, spec.kind, "--spec", str(spec_file)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(os.environ, launch),
            start_new_session=True,
            preexec_fn=tether(os.getpid()),  # noqa: PLW1509 (one prctl call through PyDLL is safe after fork)
        )
    return StepProcess(launch, popen)


def _environment(inherited: Mapping[str, str], launch: Launch) -> dict[str, str]:
    return {
        **inherited,
        "CUDA_VISIBLE_DEVICES": ",".join(launch.share.gpus),
        RUN_MARK: str(launch.folder.path),
        ATTEMPT_MARK: launch.mark,
    }
