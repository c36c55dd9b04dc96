"""Killed at random moments, a run ends with the report of an undisturbed one, and no finished step runs twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess

import pytest

from tests.support.w2s_command import Sandbox, wait_for_exit

ROUNDS = int(os.environ.get("W2S_KILL_ROUNDS", "1"))
KILLS_IN_A_ROUND = 3


def disturb(sandbox: Sandbox, chance: random.Random, victim: str, within: float) -> str | None:
    """Start a run and kill something of it at a random moment; return its output if it ended before."""
    with sandbox.start("run", "--plain") as run:
        try:
            return run.communicate(timeout=chance.uniform(0, within))[0]
        except subprocess.TimeoutExpired:
            pass
        processes = sandbox.processes()
        if victim == "executor" or not processes:
            run.kill()
            run.communicate()
            assert wait_for_exit(processes, timeout=30) == []
            return None
        os.kill(chance.choice(processes), signal.SIGKILL)
        return run.communicate(timeout=300)[0]


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_kill_9_at_random_moments_changes_nothing_in_the_report(undisturbed, fresh, seed, round_number):
    chance = random.Random(seed)
    finished: dict = {}
    for _ in range(KILLS_IN_A_ROUND):
        victim = chance.choice(["executor", "executor", "step"])
        printed = disturb(fresh, chance, victim, within=undisturbed.seconds / 2)
        for path, identity in finished.items():
            assert fresh.results()[path] == identity, f"{path} was written twice"
        finished = fresh.results()
        print(f"killed {victim}, {len(finished)} steps finished, ended by itself: {printed is not None}")
    last = fresh.run()
    assert last.returncode == 0, last.stdout
    assert fresh.report_bytes() == undisturbed.report_bytes()
    assert fresh.metrics() == undisturbed.metrics()
    assert fresh.started_after(fresh.results()) == []
    assert fresh.processes() == []
    assert {path.name for path in (fresh.runs / "work").rglob("*") if path.is_file()} == set()


def test_a_run_that_is_stopped_says_what_is_saved_and_goes_on(undisturbed, fresh):
    """By the terminal, then by a service manager."""
    done: dict = {}
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with fresh.start("run", "--plain") as run:
            assert run.stdout is not None
            before = []
            for line in run.stdout:
                before.append(line)
                if line.startswith("started   train"):
                    break
            run.send_signal(number)
            printed = "".join(before) + run.stdout.read()
        assert run.returncode == code, printed
        assert "run the same command to go on" in printed
        assert fresh.processes() == []
        assert done.items() <= fresh.results().items(), "a finished step was made again"
        done = fresh.results()
        assert done
    again = fresh.run()
    assert again.returncode == 0, again.stdout
    assert f"{len(done)} reused" in again.stdout
    assert fresh.report_bytes() == undisturbed.report_bytes()
