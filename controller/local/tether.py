"""No process outlives its run: children are told when the executor dies, and leftovers of a killed run are ended.

A child gets SIGTERM from the kernel when the executor dies, however it dies, and then saves what it has. What a killed
child itself had started (ranks of a training, a sampling engine) is found by a mark in its environment: marks are
inherited and cannot be taken over by a later process, as a number in a pid file can.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["ATTEMPT_MARK", "RUN_MARK", "end_marked", "marked_processes", "tether"]

RUN_MARK = "W2S_RUN"
"""environment variable of every process of a run: the run's folder"""
ATTEMPT_MARK = "W2S_ATTEMPT"
"""environment variable of every process of one attempt at a step"""

_PR_SET_PDEATHSIG = 1
# PyDLL keeps the interpreter's lock while it calls, so the call is safe between fork and exec.
_prctl = ctypes.PyDLL(None).prctl if sys.platform == "linux" else None


def tether(parent: int) -> Callable[[], None]:
    """Return what a child of process `parent` does before it becomes a step: ask to die with its parent."""

    def ask() -> None:
        if _prctl is None:
            return
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # the parent died between fork and prctl: no signal will come
            os._exit(128 + signal.SIGTERM)

    return ask


def marked_processes(name: str, value: str) -> list[int]:
    """Return the processes of this machine whose environment holds `name=value`, without this process."""
    mark = f"{name}={value}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # ended meanwhile, or not ours to read
            continue
        if mark in environment and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return sorted(found)


def end_marked(name: str, value: str, grace: float) -> int:
    """End the processes with a mark: SIGTERM, then SIGKILL after `grace` seconds. Return how many there were."""
    first = marked_processes(name, value)
    if not first:
        return 0
    _signal_all(first, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while (left := marked_processes(name, value)) and time.monotonic() < deadline:
        time.sleep(0.05)
    while left:
        _signal_all(left, signal.SIGKILL)
        time.sleep(0.02)
        left = marked_processes(name, value)
    return len(first)


def _signal_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
