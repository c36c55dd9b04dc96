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
from controller.local.tether import ATTEMPT_MARK, RUN_MARK, end_marked, tether
from w2s_jobs.contracts.steps import StepSpec

__all__ = ["WORKER", "Launch", "StepProcess", "start_process"]

WORKER = (sys.executable, "-P", "-m", "w2s_jobs")
"""command of a step; -P keeps a file of the user's folder from standing in for a library"""


@dataclass
class StepProcess:
    """A running attempt."""

    spec: StepSpec
    label: str
    number: int
    share: Share
    log: Path
    mark: str
    popen: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)

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
        end_marked(ATTEMPT_MARK, self.mark, grace=0)

    def clean_up(self, code: int) -> None:
        """Remove what the attempt leaves behind; after a failure also the processes that it did not end itself."""
        if code != 0:
            end_marked(ATTEMPT_MARK, self.mark, grace=1)
        work_dir = Path(self.spec.execution.work_dir)
        shutil.rmtree(work_dir, ignore_errors=True)
        try:
            work_dir.parent.rmdir()
        except OSError:  # another shard still works beside it
            return

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.popen.pid, number)
        except ProcessLookupError:
            return


@dataclass(frozen=True)
class Launch:
    """What an attempt is started with."""

    spec: StepSpec
    label: str
    number: int
    share: Share
    spec_file: Path
    log: Path
    run: Path
    """folder of the run, the mark of all its processes"""


def start_process(launch: Launch, worker: Sequence[str] = WORKER) -> StepProcess:
    """Write the spec file and start the attempt in its own process group."""
    spec = launch.spec
    Path(spec.execution.work_dir).mkdir(parents=True, exist_ok=True)
    launch.spec_file.write_text(spec.model_dump_json(by_alias=True))
    mark = f"{spec.key}/{spec.execution.attempt}/{spec.execution.shard}"
    with launch.log.open("wb") as log:
        popen = subprocess.Popen(
            [*worker, spec.kind, "--spec", str(launch.spec_file)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(os.environ, launch, mark),
            start_new_session=True,
            preexec_fn=tether(os.getpid()),  # noqa: PLW1509 (one prctl call through PyDLL is safe after fork)
        )
    return StepProcess(spec, launch.label, launch.number, launch.share, launch.log, mark, popen)


def _environment(inherited: Mapping[str, str], launch: Launch, mark: str) -> dict[str, str]:
    threads = str(launch.share.cores)
    return {
        **inherited,
        "CUDA_VISIBLE_DEVICES": ",".join(launch.share.gpus),
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "RAYON_NUM_THREADS": threads,
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "PYTHONUNBUFFERED": "1",
        RUN_MARK: str(launch.run),
        ATTEMPT_MARK: mark,
    }
