"""`python -m w2s_jobs` as whoever starts it sees it: an exit code, one clear line, and nothing half-published."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.steps import Bench
from w2s_jobs.contracts.steps import StepSpec

SCAN = {
    "task": {"family": "scan"},
    "source": {"generated": True},
    "splits": {"unlabelled": 10, "test": 5},
    "split": "unlabelled",
    "part": "questions",
}


def started(bench: Bench, spec: StepSpec | dict[str, Any], kind: str = "prepare") -> subprocess.CompletedProcess[str]:
    file = bench.folder / "spec.json"
    file.write_text(json.dumps(spec) if isinstance(spec, dict) else spec.model_dump_json(by_alias=True))
    command = [sys.executable, "-m", "w2s_jobs", kind, "--spec", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error: ") == (0 if done.returncode == 0 else 1), done.stderr
    return done


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_step_publishes_once_and_says_so_the_second_time(bench: Bench) -> None:
    spec = bench.spec("prepare", SCAN, {})
    assert started(bench, spec).returncode == 0
    result = bench.store.read_result(bench.context(spec).ref)
    assert result is not None
    assert result.metrics["rows"] == 10
    assert result.timings["gpuSeconds"] == 0
    assert result.versions["w2s"]
    again = started(bench, spec)
    assert again.returncode == 0
    assert "already done" in again.stdout
    assert bench.store.read_result(bench.context(spec).ref) == result


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "sample"}, "engine"),
        ({"key": "short"}, "key"),
        ({"unknown": 1}, "unknown"),
        ({"store": {"uri": "ftp://x"}}, "store.uri"),
    ],
)
def test_a_broken_spec_is_refused_with_its_field(bench: Bench, change: dict[str, Any], message: str) -> None:
    spec = json.loads(bench.spec("prepare", SCAN, {}).model_dump_json(by_alias=True))
    done = started(bench, {**spec, **change})
    assert done.returncode == 42
    assert message in done.stderr


def test_a_progress_that_cannot_be_written_costs_no_step(bench: Bench) -> None:
    spec = bench.spec("prepare", SCAN, {})
    (bench.folder / "store" / "prepare" / spec.key / "progress.json" / "in the way").mkdir(parents=True)
    done = started(bench, spec)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("progress is not shown") == 1
    assert bench.store.read_result(bench.context(spec).ref) is not None


def test_a_spec_for_another_step_is_refused(bench: Bench) -> None:
    done = started(bench, bench.spec("prepare", SCAN, {}), kind="grade")
    assert done.returncode == 42
    assert "is for step 'prepare', but step 'grade' was started" in done.stderr


def test_a_missing_spec_file_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "w2s_jobs", "prepare", "--spec", str(tmp_path / "none.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 42
    assert done.stderr.startswith("error: cannot read the spec ")


def test_an_input_that_can_never_work_ends_with_42_and_publishes_nothing(bench: Bench) -> None:
    spec = bench.spec("prepare", {**SCAN, "splits": {"unlabelled": 30_000, "test": 0}}, {})
    done = started(bench, spec)
    assert done.returncode == 42
    assert "split unlabelled wants 30000 rows, but 20910 of 20910 are left" in done.stderr
    assert bench.store.read_result(bench.context(spec).ref) is None


def test_an_unreachable_store_ends_with_43(bench: Bench, s3_environment: Any) -> None:
    bench.settings = bench.settings.model_copy(update={"uri": "s3://bucket", "endpoint": "http://127.0.0.1:9"})
    done = started(bench, bench.spec("prepare", SCAN, {}))
    assert done.returncode == 43
    assert "cannot be reached" in done.stderr


def test_refused_credentials_end_with_42(bench: Bench, s3_environment: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    store = {"uri": f"s3://{s3_environment.bucket()}", "endpoint": s3_environment.endpoint}
    bench.settings = bench.settings.model_copy(update=store)
    done = started(bench, bench.spec("prepare", SCAN, {}))
    assert done.returncode == 42
    assert "set AWS_ACCESS_KEY_ID" in done.stderr


def test_in_a_pod_the_spec_may_be_compressed_and_the_environment_completes_it(bench: Bench) -> None:
    spec = bench.spec("prepare", SCAN, {})
    work_dir = str(bench.folder / "scratch" / "step")
    spec = spec.model_copy(update={"execution": spec.execution.model_copy(update={"work_dir": work_dir})})
    file = bench.folder / "spec.json"
    file.write_bytes(base64.b64encode(gzip.compress(spec.model_dump_json(by_alias=True).encode())))
    pod = {"W2S_POD_ATTEMPT": "the-uid-of-the-pod"}
    command = [sys.executable, "-m", "w2s_jobs", "prepare", "--spec", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **pod})
    assert done.returncode == 0, done.stderr
    result = bench.store.read_result(bench.context(spec).ref)
    assert result is not None
    assert result.attempt == "the-uid-of-the-pod"
    assert (bench.folder / "scratch").is_dir()
