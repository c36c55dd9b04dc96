"""`python -m w2s_jobs.engines.rank FOLDER`: one rank of a training, started by torchrun.

It reads what `launch.py` left in the folder and does what a training of one rank does. Rank 0 writes `fit.json` when
all is done; the first rank of each node writes `failure` (exit code and message) when something went wrong that a
person can act on. Rank 0, which says how far the training is, is watched by a watchdog.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path

from w2s_jobs.context import StepContext
from w2s_jobs.contracts.errors import ExitCode, JobError
from w2s_jobs.contracts.steps import StepSpec
from w2s_jobs.engines.token_examples import TokenExamples
from w2s_jobs.engines.training_job import TrainingJob
from w2s_jobs.engines.unused_libraries import leave_out, unused_by
from w2s_jobs.store.open import open_store
from w2s_jobs.watchdog import Watchdog, leave

SPEC, JOB, EXAMPLES, FIT, FAILURE, STOP = "spec.json", "job.json", "examples.npz", "fit.json", "failure", "stop"


class StopFile(threading.Event):
    """Set by a signal or by a file: torchrun kills ranks half a minute after a signal, a file leaves them time."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def is_set(self) -> bool:
        """Tell whether the rank should save and end."""
        return super().is_set() or self.path.exists()


def main(folder: Path) -> int:
    """Run the rank that the environment of torchrun names and return its exit code."""
    number = os.environ["RANK"]
    logging.basicConfig(stream=sys.stdout, format=f"%(asctime)s %(levelname).1s rank {number}: %(message)s")
    if number == "0":
        logging.getLogger("w2s_jobs").setLevel(logging.INFO)
    stop = StopFile(folder / STOP)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    spec = StepSpec.model_validate_json((folder / SPEC).read_bytes())
    job = TrainingJob.model_validate_json((folder / JOB).read_bytes())
    watchdog = Watchdog(spec.execution.no_progress_seconds if number == "0" else None, partial(_give_up, folder))
    watchdog.start()
    leave_out(unused_by(spec))
    from w2s_jobs.engines.trainer import fit  # signals are taken before seconds of import

    context = StepContext(spec, open_store(spec.store, watchdog.feed), stop, watchdog)
    try:
        result = fit(job, TokenExamples.load(folder / EXAMPLES), context)
    except JobError as error:
        if os.environ["LOCAL_RANK"] == "0":
            _write_failure(folder, error.exit_code, str(error))
        return int(error.exit_code)
    if number == "0":
        written = folder / f"{FIT}.new"
        written.write_text(result.model_dump_json(by_alias=True))
        written.rename(folder / FIT)  # there in full or not at all: this process may be killed any time
    return 0


def _write_failure(folder: Path, code: ExitCode, message: str) -> None:
    (folder / FAILURE).write_text(f"{int(code)}\n{message}")


def _give_up(folder: Path, words: str) -> None:
    """End a training that hangs: torchrun ends the other ranks."""
    _write_failure(folder, ExitCode.CRASHED, words)
    leave(ExitCode.CRASHED, words)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
