"""`python -m w2s_jobs.engines.rank FOLDER`: one rank of a training, started by torchrun.

It reads what `launch.py` left in the folder and does what a training of one rank does. Rank 0 writes `fit.json` when
all is done, or `failure` (exit code and message) when something went wrong that a person can act on.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from pathlib import Path

from w2s_jobs.context import StepContext
from w2s_jobs.contracts.errors import JobError
from w2s_jobs.contracts.steps import StepSpec
from w2s_jobs.engines.token_examples import TokenExamples
from w2s_jobs.engines.training_job import TrainingJob
from w2s_jobs.store.open import open_store

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
    from w2s_jobs.engines.trainer import fit  # signals are taken before seconds of import

    try:
        result = fit(job, TokenExamples.load(folder / EXAMPLES), StepContext(spec, open_store(spec.store), stop))
    except JobError as error:
        if number == "0":
            (folder / FAILURE).write_text(f"{int(error.exit_code)}\n{error}")
        return int(error.exit_code)
    if number == "0":
        (folder / FIT).write_text(result.model_dump_json(by_alias=True))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
