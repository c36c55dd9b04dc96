from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from controller.local.tether import end_marked, marked_processes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prctl and /proc are Linux's")

# Starts a tethered child that has written its pid, then dies by SIGKILL.
PARENT = """
import os, signal, subprocess, sys
from controller.local.tether import tether
child = subprocess.Popen(
    [sys.executable, "-c", "import os, signal; print(os.getpid(), flush=True); signal.pause()"],
    preexec_fn=tether(os.getpid()), stdout=subprocess.PIPE, start_new_session=True)
print(child.stdout.readline().decode().strip(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def wait_until_gone(pid: int) -> None:
    """Block until a process that is not our child has ended; a pidfd becomes readable then."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([handle], [], [], 10)[0], f"process {pid} outlived its parent"
    os.close(handle)


def test_a_child_dies_with_a_parent_that_was_killed():
    done = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    wait_until_gone(int(done.stdout))


def test_a_marked_process_that_ignores_sigterm_is_killed():
    stubborn = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()",
        ],
        env={**os.environ, "W2S_TEST_MARK": "a"},
        stdout=subprocess.PIPE,
    )
    with stubborn:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        assert marked_processes("W2S_TEST_MARK", "a") == [stubborn.pid]
        assert end_marked("W2S_TEST_MARK", "a", grace=0) >= 1
        assert stubborn.wait(timeout=10) == -signal.SIGKILL


def test_a_mark_matches_whole_values_only():
    child = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.pause()"], env={**os.environ, "W2S_TEST_MARK": "abc"}
    )
    try:
        assert marked_processes("W2S_TEST_MARK", "ab") == []
        assert marked_processes("TEST_MARK", "abc") == []
    finally:
        child.kill()
        child.wait()


def test_this_process_is_never_among_the_marked():
    environment = Path(f"/proc/{os.getpid()}/environ").read_bytes().split(b"\0")
    name, value = next(entry.decode().split("=", 1) for entry in environment if b"=" in entry)
    assert os.getpid() not in marked_processes(name, value)
