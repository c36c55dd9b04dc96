"""Start a training: plain PyTorch in this process, DeepSpeed as torchrun ranks of `w2s_jobs.engines.rank`."""

from __future__ import annotations

import contextlib
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
from w2s_jobs.engines.checkpoints import fetch_newest_checkpoint
from w2s_jobs.engines.gang import Round
from w2s_jobs.engines.nodes import Nodes, check_nodes
from w2s_jobs.engines.rank import EXAMPLES, FAILURE, FIT, JOB, SPEC, STOP
from w2s_jobs.engines.token_examples import TokenExamples
from w2s_jobs.engines.training_job import Fit, TrainingJob, checkpoint_layout

__all__ = ["choose_accelerator", "run_training"]

log = logging.getLogger(__name__)

TORCHRUN = "torchrun"
"""Folder of torchrun, below that of the ranks"""
STOP_SECONDS = 600
"""seconds that ranks get to save a checkpoint once they are told to stop"""
_RANK = ("-m", "w2s_jobs.engines.rank")
_ERRORS: dict[int, type[JobError]] = {
    ExitCode.INPUT: InputError,
    ExitCode.DEPENDENCY: DependencyError,
    ExitCode.STOPPED: Stopped,
}


def run_training(job: TrainingJob, examples: TokenExamples, context: StepContext) -> Fit | None:
    """Train as `context.execution.parallelism` says, from the newest checkpoint on.

    Returns None where many nodes train and another one has published the model.

    Raises
    ------
    Stopped
        The step was told to stop; a checkpoint is in the store.
    JobError
        A rank failed; what it said is in the message or in the log above.
    """
    if context.execution.nodes > 1:
        check_nodes(context)
    if context.execution.parallelism.zero_stage is None:
        from w2s_jobs.engines.trainer import fit  # seconds of import that the parent of ranks needs not

        return fit(_go_on(job, context), examples, context)
    folder = context.work_dir / "ranks"
    folder.mkdir(parents=True, exist_ok=True)
    examples.save(folder / EXAMPLES)
    (folder / SPEC).write_text(context.spec.model_dump_json(by_alias=True))
    if context.execution.nodes > 1:
        return Nodes(context, lambda gathered: _train_ranks(job, folder, context, gathered)).run()
    with context.watchdog.resting():  # rank 0 is watched where it runs
        return _train_ranks(job, folder, context, None)


def _go_on(job: TrainingJob, context: StepContext) -> TrainingJob:
    """Return the job with the newest checkpoint, if there is one."""
    layout = checkpoint_layout(context.execution.parallelism)
    checkpoint = fetch_newest_checkpoint(context, layout, context.work_dir / "checkpoint")
    return job.model_copy(update={"checkpoint": str(checkpoint) if checkpoint else None})


def _train_ranks(job: TrainingJob, folder: Path, context: StepContext, gathered: Round | None) -> Fit | None:
    """Run this node's ranks; None where they are done and the model lies on another node."""
    for name in (FIT, FAILURE, STOP):
        (folder / name).unlink(missing_ok=True)
    (folder / JOB).write_text(_go_on(job, context).model_dump_json(by_alias=True))
    code = _run_ranks(folder, context, gathered)
    if (folder / FIT).exists():
        return Fit.model_validate_json((folder / FIT).read_bytes())
    if code == 0 and context.execution.node != 0:
        return None
    if (folder / FAILURE).exists():
        kind, _, message = (folder / FAILURE).read_text().partition("\n")
        raise _ERRORS.get(int(kind), JobError)(message)
    context.stop_here("nothing newer than the last checkpoint is saved")
    raise JobError(
        f"step {context.ref}: a rank of the training ended without a word (torchrun exit code {code}); "
        "its lines are in the log above. Out of memory is the usual reason: use more ranks, a higher zeroStage or a "
        "smaller microBatchSize"
    )


def _run_ranks(folder: Path, context: StepContext, gathered: Round | None) -> int:
    """Run torchrun until it ends, passing on the wish to stop; when another node is lost, end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", *_torchrun(folder, context, gathered), *_RANK, str(folder)],
        env=_environment(context),
        preexec_fn=_die_with_parent(),  # noqa: PLW1509  one system call, made before exec
        start_new_session=True,  # Ctrl-C reaches this process, which then lets the ranks save
    )
    deadline, lost = None, False
    while True:
        try:
            return process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            if context.stopping and deadline is None:
                (folder / STOP).touch()
                deadline = time.monotonic() + STOP_SECONDS
            if deadline is not None and time.monotonic() > deadline:
                os.killpg(process.pid, signal.SIGKILL)
            if gathered is not None and not lost and gathered.is_over():
                lost = True
                _kill_ranks(process)


def _torchrun(folder: Path, context: StepContext, gathered: Round | None) -> list[str]:
    """Return torchrun's options: where the ranks of this node are, and where all ranks meet."""
    execution = context.execution
    ranks = [f"--nproc-per-node={execution.parallelism.ranks // execution.nodes}", "--max-restarts=0"]
    ranks.append(f"--log-dir={folder / TORCHRUN}")  # which it makes all the same, elsewhere, and never removes
    if gathered is None:
        return [*ranks, "--nnodes=1", "--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0", "--local-addr=127.0.0.1"]
    host = (execution.rendezvous or "").rpartition(":")[0]
    nodes = [f"--nnodes={execution.nodes}", f"--node-rank={execution.node}", "--rdzv-backend=static"]
    return [*ranks, *nodes, f"--master-addr={host}", f"--master-port={gathered.port}"]


def _kill_ranks(torchrun: subprocess.Popen[bytes]) -> None:
    """Kill a torchrun's ranks, which may hang in a collective with a node that is gone, and let it end."""
    for children in Path(f"/proc/{torchrun.pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for rank in children.read_text().split():
                os.kill(int(rank), signal.SIGKILL)
    torchrun.terminate()


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
        own["CUDA_VISIBLE_DEVICES"] = ""
        if context.execution.nodes == 1:
            own["GLOO_SOCKET_IFNAME"] = "lo"
    return {**os.environ, **own}


def _die_with_parent() -> Callable[[], None] | None:
    """Return what a child does before it starts: ask the kernel for SIGTERM when this process is killed."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.PyDLL(None).prctl
    return lambda: prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
