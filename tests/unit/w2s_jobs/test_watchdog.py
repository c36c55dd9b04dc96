"""A process that does not end by itself is ended, and its exit code says why."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from w2s_jobs.watchdog import Watchdog


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def words() -> list[str]:
    return []


def test_it_gives_up_after_its_limit_without_a_sign(clock: Clock, words: list[str]) -> None:
    watchdog = Watchdog(60, words.append, clock)
    clock.now = 60
    watchdog.look()
    assert not words
    clock.now = 61
    watchdog.look()
    assert words == [
        "no progress for 61 s, and noProgressSeconds is 60; ended to be tried again. "
        "Raise workers.noProgressSeconds of the installation if the step is this slow"
    ]


def test_every_sign_counts_from_anew(clock: Clock, words: list[str]) -> None:
    watchdog = Watchdog(60, words.append, clock)
    for clock.now in range(0, 600, 50):
        watchdog.feed()
        watchdog.look()
    assert not words


def test_while_others_work_it_expects_nothing(clock: Clock, words: list[str]) -> None:
    watchdog = Watchdog(60, words.append, clock)
    with watchdog.resting():
        clock.now = 1000
        watchdog.look()
    watchdog.look()
    assert not words


def test_without_a_limit_it_waits_for_ever(clock: Clock, words: list[str]) -> None:
    watchdog = Watchdog(None, words.append, clock)
    clock.now = 1e9
    watchdog.look()
    assert not words


STUCK = """
import threading
from w2s_jobs.contracts.errors import ExitCode
from w2s_jobs.watchdog import Watchdog, leave, leave_within
{}
threading.Lock().acquire()
threading.Event().wait()
"""


def ends(how: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", STUCK.format(how)], capture_output=True, text=True, timeout=30, check=False
    )


def test_a_step_without_progress_ends_as_a_crash() -> None:
    done = ends("Watchdog(0.2, lambda words: leave(ExitCode.CRASHED, words)).start()")
    assert done.returncode == 1
    assert done.stderr.startswith("error: no progress for 0 s")


def test_a_step_that_is_stuck_while_it_is_told_to_stop_ends_as_stopped() -> None:
    done = ends("leave_within(0.2, 'train/0123')")
    assert done.returncode == 128 + signal.SIGTERM
    assert "step train/0123 was told to stop and did not end in time" in done.stderr
