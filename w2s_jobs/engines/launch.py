"""Start a training: plain PyTorch in this process, DeepSpeed as torchrun ranks of `w2s_jobs.engines.rank`."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from w2s_jobs.context import StepContext
from w2s_jobs.contracts.errors import DependencyError, ExitCode, InputError, JobError, Stopped
from w2s_jobs.engines.rank import EXAMPLES, FAILURE, FIT, JOB, SPEC, STOP
from w2s_jobs.engines.token_examples import TokenExamples
from w2s_jobs.engines.training_job import Fit, TrainingJob

__all__ = ["choose_accelerator", "run_training"]

log = logging.getLogger(__name__)

STOP_SECONDS = 600
"""seconds that ranks get to save a checkpoint once they are told to stop"""
_ERRORS: dict[int, type[JobError]] = {
    ExitCode.INPUT: InputError,
    ExitCode.DEPENDENCY: DependencyError,
    ExitCode.STOPPED: Stopped,
}


def run_training(job: TrainingJob, examples: TokenExamples, context: StepContext) -> Fit:
    """Train as `context.execution.parallelism` says.

    Raises
    ------
    Stopped
        The step was told to stop; a checkpoint is in the store.
    JobError
        A rank failed; what it said is in the message or in the log above.
    """
    if context.execution.parallelism.zero_stage is None:
        from w2s_jobs.engines.trainer import fit  # seconds of import that the parent of ranks needs not

        return fit(job, examples, context)
    folder = context.work_dir / "ranks"
    folder.mkdir(parents=True, exist_ok=True)
    for name in (FIT, FAILURE, STOP):
        (folder / name).unlink(missing_ok=True)
    examples.save(folder / EXAMPLES)
    (folder / JOB).write_text(job.model_dump_json(by_alias=True))
    (folder / SPEC).write_text(context.spec.model_dump_json(by_alias=True))
    code = _run_ranks(folder, context)
    if (folder / FIT).exists():
        return Fit.model_validate_json((folder / FIT).read_bytes())
    if (folder / FAILURE).exists():
        kind, _, message = (folder / FAILURE).read_text().partition("\n")
        raise _ERRORS.get(int(kind), JobError)(message)
    context.stop_here("nothing newer than the last checkpoint is saved")
    raise JobError(
        f"step {context.ref}: a rank of the training ended without a word (torchrun exit code {code}); "
        "its lines are in the log above. Out of memory is the usual reason: use more ranks, a higher zeroStage or a "
        "smaller microBatchSize"
    )


def _run_ranks(folder: Path, context: StepContext) -> int:
    """Run torchrun until it ends, passing on the wish to stop."""
    ranks = context.execution.parallelism.ranks
    torchrun = ["-m", "torch.distributed.run", "--nnodes=1", f"--nproc-per-node={ranks}", "--max-restarts=0"]
    rendezvous = ["--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0", "--local-addr=127.0.0.1"]
    process = subprocess.Popen(
        [sys.executable, *torchrun, *rendezvous, "-m", "w2s_jobs.engines.rank", str(folder)],
        env=_environment(context),
        preexec_fn=_die_with_parent(),  # noqa: PLW1509  one system call, made before exec
        start_new_session=True,  # Ctrl-C reaches this process, which then lets the ranks save
    )
    deadline = None
    while True:
        try:
            return process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            if context.stopping and deadline is None:
                (folder / STOP).touch()
                deadline = time.monotonic() + STOP_SECONDS
            if deadline is not None and time.monotonic() > deadline:
                os.killpg(process.pid, signal.SIGKILL)


def choose_accelerator(context: StepContext) -> None:
    """Tell DeepSpeed, before anything imports it, to compute on the CPU where the step has no GPU."""
    if context.execution.gpus == 0:
        os.environ["DS_ACCELERATOR"] = "cpu"


def _environment(context: StepContext) -> dict[str, str]:
    """Return the environment of the ranks."""
    # DeepSpeed compiles its collective for CPUs with the ninja that is installed beside this Python.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    own = {"PATH": path, "OMP_NUM_THREADS": str(context.execution.threads)}
    own["PYTHONWARNINGS"] = "ignore::FutureWarning"  # DeepSpeed's, about names in torch
    if context.execution.gpus == 0:
        own |= {"GLOO_SOCKET_IFNAME": "lo", "CUDA_VISIBLE_DEVICES": ""}
    return {**os.environ, **own}


def _die_with_parent() -> Callable[[], None] | None:
    """Return what a child does before it starts: ask the kernel for SIGTERM when this process is killed."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.PyDLL(None).prctl
    return lambda: prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
