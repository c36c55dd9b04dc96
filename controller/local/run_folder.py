"""Where a local run keeps what is not an artifact: specs, logs, scratch space, and a copy of the report.

.w2s/store/                      artifacts, unless --store names another place
.w2s/runs/<experiment>/lock      held while a run is alive
.w2s/runs/<experiment>/work/     scratch space, a folder for each attempt, deleted when it ends
.w2s/runs/<experiment>/specs/    the file each process was started with
.w2s/runs/<experiment>/logs/     one log a step attempt
.w2s/runs/<experiment>/          report.html, results.json, results.csv, cost.json
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from controller.errors import W2sError
from controller.local.tether import RUN_MARK, end_marked

__all__ = ["HOME", "RunFolder"]

HOME = Path(".w2s")
"""folder of all local state, in the current folder"""
_LEFTOVER_GRACE = 10.0
"""seconds that processes of a killed run get to save what they have"""


class RunFolder:
    """The folder of one experiment's runs on this machine."""

    def __init__(self, experiment: str, home: Path = HOME) -> None:
        self.path = home.absolute() / "runs" / experiment
        self.logs = self.path / "logs"
        self.specs = self.path / "specs"

    @contextmanager
    def hold(self) -> Iterator[int]:
        """Own the folder until the block ends; yields how many leftover processes of a killed run were ended.

        Raises
        ------
        W2sError
            Another `w2s run` of the same experiment is at work in this folder.
        """
        for folder in (self.logs, self.specs):
            folder.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip() or "unknown"
                raise W2sError(
                    f"{self.path}: another `w2s run` of this experiment is at work (process {holder}). "
                    f"Follow it with `w2s logs FILE`, or stop it with `kill {holder}` and run again."
                ) from None
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            ended = end_marked(RUN_MARK, str(self.path), _LEFTOVER_GRACE)
            shutil.rmtree(self.path / "work", ignore_errors=True)
            yield ended

    def work_dir(self, label: str, attempt: str) -> Path:
        """Name the scratch folder of an attempt."""
        return self.path / "work" / label / attempt

    def next_attempt(self, label: str) -> int:
        """Return the number of a step's next attempt: one more than the last that left a log here."""
        return max((number for number, _ in self.attempts(label)), default=0) + 1

    def attempts(self, label: str) -> list[tuple[int, Path]]:
        """Return the attempts at a step that left a log here, oldest first: number and path of the log."""
        found = []
        for path in self.logs.glob(f"{label}.attempt*.log"):
            match = re.fullmatch(re.escape(label) + r"\.attempt(\d+)\.log", path.name)
            if match:
                found.append((int(match[1]), path))
        return sorted(found)

    def log(self, label: str, number: int) -> Path:
        """Name the log of an attempt."""
        return self.logs / f"{label}.attempt{number}.log"

    def spec(self, label: str, number: int) -> Path:
        """Name the spec file of an attempt."""
        return self.specs / f"{label}.attempt{number}.json"
