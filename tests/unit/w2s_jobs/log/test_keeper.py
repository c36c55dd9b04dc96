"""A step whose log is kept: for its pod it is as if nobody kept it, and the end of the log is in the store."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.steps import Bench
from w2s_jobs.contracts.artifact import ArtifactRef
from w2s_jobs.contracts.steps import Execution, StepSpec, StoreSettings
from w2s_jobs.store.open import open_store

REF = ArtifactRef(kind="train", key="d" * 64)

KEPT = """
import os, signal, subprocess, sys, threading
from pathlib import Path
import w2s_jobs.__main__, w2s_jobs.store.s3
from w2s_jobs.contracts.errors import ExitCode
from w2s_jobs.contracts.steps import StepSpec
from w2s_jobs.log.keeper import keep_log
from w2s_jobs.watchdog import leave, leave_within
assert len(os.listdir("/proc/self/task")) == 1  # a fork takes one thread along
code = keep_log(StepSpec.model_validate_json(sys.argv[1]), float(sys.argv[2]))
if code is not None:
    sys.exit(code)
"""


class Kept:
    """Runs Python code as a step whose log is kept."""

    def __init__(self, settings: StoreSettings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.execution: dict[str, Any] = {}

    def start(self, code: str, pause: float = 3600, **options: Any) -> subprocess.Popen[bytes]:
        execution = Execution(work_dir=str(self.folder), attempt="the-uid", **self.execution)
        spec = StepSpec(
            kind="train", key=REF.key, params={}, inputs={}, store=self.settings, execution=execution
        ).model_dump_json(by_alias=True)
        command = [sys.executable, "-u", "-c", KEPT + code, spec, str(pause)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, **{**pipes, **options})

    def run(self, code: str, **options: Any) -> tuple[int, bytes, bytes]:
        process = self.start(code, **options)
        out, err = process.communicate(timeout=50)
        return process.returncode, out, err

    def log(self) -> bytes:
        store = open_store(self.settings)
        (name,) = store.list_logs(REF)
        assert name.attempt == "the-uid"
        return store.read_log(REF, name)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(StoreSettings(uri=f"file://{tmp_path}/store"), tmp_path)


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ("pass", 0),
        ("sys.exit(42)", 42),
        ("leave(ExitCode.CRASHED, 'no progress for 60 s')", 1),
        ("leave_within(0.01, 'train/dddd'); threading.Event().wait()", 143),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137),
        ("os.abort()", 134),
        ("os.kill(os.getppid(), signal.SIGTERM); signal.pause()", 143),
    ],
    ids=["done", "failed", "watchdog", "too-slow-to-stop", "out-of-memory", "crash-below-python", "told-to-stop"],
)
def test_however_a_step_ends_its_exit_code_is_the_same_and_all_that_it_said_is_kept(
    kept: Kept, ends: str, code: int
) -> None:
    found, out, err = kept.run(f"print('working'); print('a warning', file=sys.stderr); {ends}")
    assert found == code
    assert out == b"working\n"
    assert err.startswith(b"a warning\n")
    assert sorted(kept.log().splitlines()) == sorted((out + err).splitlines())


def test_what_its_children_print_is_kept_too(kept: Kept) -> None:
    _, out, err = kept.run("subprocess.run(['sh', '-c', 'echo rank 0; echo rank 1 >&2'], check=True)")
    assert (out, err) == (b"rank 0\n", b"rank 1\n")
    assert set(kept.log().splitlines()) == {b"rank 0", b"rank 1"}


def test_of_much_output_nothing_is_lost_on_the_way_and_the_end_is_kept(kept: Kept) -> None:
    _, out, _ = kept.run("sys.stdout.writelines(f'{number:07d}\\n' for number in range(700_000))")
    assert out == b"".join(b"%07d\n" % number for number in range(700_000))
    assert kept.log() == out[-64 * 1024 :]


def test_output_that_nobody_reads_any_more_ends_no_step(kept: Kept) -> None:
    read_end, write_end = os.pipe()
    process = kept.start("os.write(1, b'x' * 500_000); print('the end')", stdout=write_end)
    os.close(write_end)
    os.close(read_end)
    process.communicate(timeout=50)
    assert process.returncode == 0
    assert kept.log().endswith(b"the end\n")


def test_a_child_that_outlives_the_step_holds_nobody_up(kept: Kept) -> None:
    code, out, _ = kept.run("print(subprocess.Popen(['sleep', '3600'], stdin=subprocess.DEVNULL).pid)")
    os.kill(int(out), signal.SIGKILL)
    assert code == 0
    assert kept.log() == out


def test_a_log_that_the_store_does_not_take_costs_a_warning_and_no_step(kept: Kept, s3_environment: Any) -> None:
    kept.settings = StoreSettings(uri="s3://bucket", endpoint="http://127.0.0.1:9")
    code, out, err = kept.run("print('working')")
    assert (code, out) == (0, b"working\n")
    assert err.startswith(b"warning: the end of this log is not kept in the store: S3 at s3://bucket/train/ddd")
    assert err.count(b"\n") == 1


def test_a_store_that_does_not_answer_holds_no_stopped_step_beyond_its_grace(kept: Kept, s3_environment: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kept.settings = StoreSettings(uri="s3://bucket", endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}")
        kept.execution = {"grace_seconds": 0.4}
        code, _, err = kept.run("print('working'); os.kill(os.getppid(), signal.SIGTERM); signal.pause()")
    assert code == 143
    assert err == b"warning: the end of this log is not kept in the store: the store did not take it within 0 s\n"


def test_a_step_that_is_stuck_below_python_is_ended_as_stopped_before_it_is_killed_as_crashed(kept: Kept) -> None:
    kept.execution = {"grace_seconds": 0.4}
    handled = "signal.signal(signal.SIGTERM, lambda *_: None)"
    # A signal ends a sleep, so it sleeps again; the lock of the interpreter is held all the while.
    holds_the_interpreter = "import ctypes\nsleep = ctypes.PyDLL(None).sleep\nwhile True: sleep(3600)"
    code, _, err = kept.run(f"{handled}; os.kill(os.getppid(), signal.SIGTERM)\n{holds_the_interpreter}")
    assert code == 143
    # Of so short a grace too little may be left to store the log, which then is said after it.
    assert err.startswith(b"error: step train/dddddddddddd was told to stop and did not end in time; what it had")


def test_a_secret_of_the_environment_is_neither_printed_nor_kept(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush-hush")
    _, out, err = kept.run("print(os.environ); sys.exit(os.environ['AWS_SECRET_ACCESS_KEY'])")
    for text in (out, err, kept.log()):
        assert b"hush" not in text
    assert b"'AWS_SECRET_ACCESS_KEY': '***'" in out
    assert err == b"***\n"


def test_a_secret_that_is_rotated_while_the_step_runs_is_hidden_too(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kept.folder / "mounted").mkdir()
    file = kept.folder / "mounted" / "AWS_SECRET_ACCESS_KEY"
    file.write_text("first-value")
    monkeypatch.setenv("W2S_CREDENTIALS", str(file.parent))
    rotates = f"file = Path('{file}'); print(file.read_text()); file.write_text('other-value'); print(file.read_text())"
    _, out, _ = kept.run(rotates)
    assert out == kept.log() == b"***\n***\n"


def test_what_begins_like_a_secret_and_is_none_waits_no_longer_than_a_moment(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_0123456789")
    process = kept.start("os.write(1, b'step hf_0'); sys.stdin.read()", stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.read(9) == b"step hf_0"
    process.communicate(timeout=50)


def test_a_pod_that_is_killed_leaves_what_was_stored_last_and_no_process(kept: Kept) -> None:
    process = kept.start("print(os.getpid()); threading.Event().wait()", pause=0.02)
    assert process.stdout is not None
    step = os.pidfd_open(int(process.stdout.readline()))
    wait_for(lambda: bool(open_store(kept.settings).list_logs(REF)), process)
    process.kill()
    process.communicate(timeout=50)
    assert select.select([step], [], [], 30)[0], "the step goes on without its keeper"
    os.close(step)
    assert kept.log().strip().isdigit()


LARGE = """
from w2s_jobs.contracts.artifact import ArtifactRef
from w2s_jobs.store.open import open_store
spec = StepSpec.model_validate_json(sys.argv[1])
file = Path(spec.execution.work_dir) / "large"
file.write_bytes(b"w" * 20_000_000)
print(open_store(spec.store).put(ArtifactRef(kind=spec.kind, key=spec.key), "the-uid", "large", file).size)
"""


def test_the_step_and_its_keeper_both_reach_s3(kept: Kept, s3_environment: Any) -> None:
    kept.settings = StoreSettings(uri=f"s3://{s3_environment.bucket()}", endpoint=s3_environment.endpoint)
    code, out, err = kept.run(LARGE, pause=0.01)
    assert (code, out, err) == (0, b"20000000\n", b"")
    assert kept.log() == out


def wait_for(happened: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    for _ in range(2000):
        if happened():
            return
        try:
            pytest.fail(f"it ended with {process.wait(timeout=0.02)}")
        except subprocess.TimeoutExpired:
            continue
    pytest.fail("it did not happen")


SCAN = {
    "task": {"family": "scan"},
    "source": {"generated": True},
    "splits": {"unlabelled": 10, "test": 5},
    "split": "unlabelled",
    "part": "questions",
}


def test_a_pod_keeps_its_log_and_a_run_on_one_machine_does_not(tmp_path: Path, s3_environment: Any) -> None:
    bench = Bench(tmp_path)
    store = {"uri": f"s3://{s3_environment.bucket()}", "endpoint": s3_environment.endpoint}
    bench.settings = StoreSettings.model_validate(store)
    spec = bench.spec("prepare", SCAN, {})
    ref = ArtifactRef(kind=spec.kind, key=spec.key)
    file = tmp_path / "spec.json"
    file.write_text(spec.model_dump_json(by_alias=True))
    command = [sys.executable, "-m", "w2s_jobs", "prepare", "--spec", str(file)]
    kept = open_store(bench.settings)

    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert kept.list_logs(ref) == []
    pod = {**os.environ, "W2S_POD_ATTEMPT": "the-uid"}
    done = subprocess.run(command, check=False, capture_output=True, env=pod)
    assert done.returncode == 0
    (name,) = kept.list_logs(ref)
    assert (name.part, name.attempt) == (0, "the-uid")
    assert kept.read_log(ref, name) == done.stdout
    assert b"already done" in done.stdout
    kept.delete(ref)
    assert kept.list_logs(ref) == []
