"""A pod that is told to stop while it waits for the store ends by itself, and says so by its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.labels import GSM8K, Labels, votes_of
from tests.support.stalling_relay import StallingRelay
from tests.support.steps import Bench
from w2s_jobs.contracts.steps import StepSpec, StoreSettings
from w2s_jobs.store.open import open_store

SCAN = {
    "task": {"family": "scan"},
    "source": {"generated": True},
    "splits": {"unlabelled": 10, "test": 5},
    "split": "unlabelled",
    "part": "questions",
}


@pytest.fixture
def bench(tmp_path: Path, s3_environment: Any) -> Bench:
    """A bench whose store is in S3."""
    bench = Bench(tmp_path)
    bench.settings = StoreSettings(uri=f"s3://{s3_environment.bucket()}", endpoint=s3_environment.endpoint)
    bench.store = open_store(bench.settings)
    return bench


def stopped(bench: Bench, spec: StepSpec, request: bytes) -> tuple[int, str]:
    """Tell a pod to stop when its request hangs; return its exit code and all that it said."""
    with StallingRelay(bench.settings.endpoint or "", request) as relay:
        reached = spec.model_copy(update={"store": spec.store.model_copy(update={"endpoint": relay.endpoint})})
        file = bench.folder / "spec.json"
        file.write_text(reached.model_dump_json(by_alias=True))
        process = subprocess.Popen(
            [sys.executable, "-m", "w2s_jobs", spec.kind, "--spec", str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "W2S_POD_ATTEMPT": "the-uid", "W2S_CACHE": str(bench.folder / "cache-of-the-pod")},
        )
        try:
            assert relay.stalled.wait(50), "it did not come so far"
            process.terminate()
            said, _ = process.communicate(timeout=50)
        finally:
            process.kill()
    return process.returncode, said


def test_during_a_download_it_leaves_at_once(bench: Bench) -> None:
    labels = Labels(bench)
    votes = labels.votes(votes_of({"a": "4"}))
    inputs = {"weak": [votes], "strong": [votes], "questions": [labels.questions(["a"])]}
    spec = bench.spec("partition", GSM8K, inputs, grace_seconds=3600)
    code, said = stopped(bench, spec, rb"GET \S+/attempts/")
    assert code == 143, said
    assert "was told to stop while it fetched its inputs; run again to go on" in said
    assert bench.run("partition", GSM8K, inputs).metrics["rows"] == 1


def test_during_an_upload_it_leaves_within_its_grace(bench: Bench) -> None:
    spec = bench.spec("prepare", SCAN, {}, grace_seconds=1)
    code, said = stopped(bench, spec, rb"PUT \S+/attempts/")
    assert code == 143, said
    assert "was told to stop and did not end in time" in said
    assert bench.store.read_result(bench.context(spec).ref) is None
    assert bench.run("prepare", SCAN, {}).metrics["rows"] == 10
