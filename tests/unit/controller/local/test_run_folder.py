from __future__ import annotations

import os
import subprocess
import sys

import pytest

from controller.errors import W2sError
from controller.local.run_folder import RunFolder
from controller.local.tether import RUN_MARK


def test_a_second_run_of_the_same_experiment_is_refused_and_told_who_holds_it(tmp_path):
    with RunFolder("tiny", tmp_path).hold():
        expected = rf"another `w2s run` .* \(process {os.getpid()}\)"
        with pytest.raises(W2sError, match=expected), RunFolder("tiny", tmp_path).hold():
            pass
        with RunFolder("other", tmp_path).hold():
            pass
    with RunFolder("tiny", tmp_path).hold():
        pass


def test_leftover_processes_of_a_killed_run_are_ended_before_the_next_begins(tmp_path):
    folder = RunFolder("tiny", tmp_path)
    leftover = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.pause()"], env={**os.environ, RUN_MARK: str(folder.path)}
    )
    try:
        with folder.hold() as ended:
            assert ended == 1
            assert leftover.wait(timeout=10) == -15
    finally:
        leftover.kill()
        leftover.wait()


def test_processes_of_another_experiment_are_left_alone(tmp_path):
    other = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.pause()"],
        env={**os.environ, RUN_MARK: str(RunFolder("other", tmp_path).path)},
    )
    try:
        with RunFolder("tiny", tmp_path).hold() as ended:
            assert ended == 0
            assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_attempts_are_counted_from_the_logs_that_earlier_runs_left(tmp_path):
    folder = RunFolder("tiny", tmp_path)
    with folder.hold():
        assert folder.next_attempt("train-a") == 1
        folder.log("train-a", 1).touch()
        folder.log("train-a", 10).touch()
        folder.log("train-ab", 30).touch()
        assert folder.next_attempt("train-a") == 11
        assert [number for number, _ in folder.attempts("train-a")] == [1, 10]
