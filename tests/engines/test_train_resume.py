"""A training that is killed or told to stop goes on where it was, and ends with the same weights to the last digit."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.training import TrainingBench, sayings
from w2s_jobs.contracts.artifact import ArtifactRef
from w2s_jobs.contracts.settings import Parallelism, TrainingSettings
from w2s_jobs.contracts.steps import StepSpec

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600), pytest.mark.filterwarnings("default")]

TRAINING = TrainingSettings(learning_rate=1e-2, global_batch_size=8, epochs=6, max_seq_len=128, packing=True)
STEPS = 48


@pytest.fixture
def bench(tmp_path: Path) -> TrainingBench:
    bench = TrainingBench(tmp_path)
    bench.add_examples(sayings(64))
    return bench


def checkpoints(bench: TrainingBench, spec: StepSpec) -> dict[str, int]:
    return bench.store.list_parts(ArtifactRef(kind="train", key=spec.key), "checkpoints/")


def test_a_killed_training_ends_with_the_weights_of_an_undisturbed_one(bench: TrainingBench, seed: int):
    undisturbed = bench.run(bench.spec("undisturbed", TRAINING))
    killed = bench.spec("killed", TRAINING, checkpoint_seconds=0)
    chance = random.Random(seed)
    for step in sorted(chance.sample(range(1, STEPS - 4), 2)):
        code, output = bench.end_after(killed, step, signal.SIGKILL)
        assert code == -signal.SIGKILL, output[-4000:]
    result = bench.run(killed)
    assert bench.weights_digest(result) == bench.weights_digest(undisturbed)
    assert result.metrics == undisturbed.metrics


def test_told_to_stop_it_saves_and_goes_on_later(bench: TrainingBench, seed: int):
    undisturbed = bench.run(bench.spec("undisturbed", TRAINING))
    stopped = bench.spec("stopped", TRAINING)
    code, output = bench.end_after(stopped, random.Random(seed).randrange(1, STEPS - 8), signal.SIGTERM)
    assert code == 143, output[-4000:]
    assert "a checkpoint is saved" in output
    assert "Traceback" not in output
    assert any(name.endswith("manifest.json") for name in checkpoints(bench, stopped))
    assert bench.weights_digest(bench.run(stopped)) == bench.weights_digest(undisturbed)


def test_a_damaged_checkpoint_is_not_trained_on(bench: TrainingBench):
    undisturbed = bench.run(bench.spec("undisturbed", TRAINING))
    damaged = bench.spec("damaged", TRAINING)
    bench.end_after(damaged, 5, signal.SIGTERM)
    weights = next((bench.root / "store" / "train" / damaged.key).rglob("step-*/model.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-8] + b"\0" * 8)
    assert bench.weights_digest(bench.run(damaged)) == bench.weights_digest(undisturbed)


def test_a_training_shorter_than_the_interval_stores_no_checkpoint(bench: TrainingBench):
    short = bench.spec("short", TRAINING)
    bench.run(short)
    assert checkpoints(bench, short) == {}


def test_ranks_that_are_told_to_stop_save_together_and_go_on(bench: TrainingBench):
    ranks = Parallelism(zero_stage=2, ranks=2)
    undisturbed = bench.run(bench.spec("ranks undisturbed", TRAINING, ranks))
    stopped = bench.spec("ranks stopped", TRAINING, ranks)
    code, output = bench.end_after(stopped, 6, signal.SIGTERM)
    assert code == 143, output[-4000:]
    assert "a checkpoint is saved" in output
    result = bench.run(stopped)
    assert bench.losses(result) == pytest.approx(bench.losses(undisturbed), rel=1e-5)


def test_no_rank_outlives_a_killed_step(bench: TrainingBench):
    spec = bench.spec("orphans", TRAINING, Parallelism(zero_stage=2, ranks=2), checkpoint_seconds=0)
    code, _ = bench.end_after(spec, 2, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not [line for line in processes_of(bench) if not ends_within(60, int(line.split()[0]))]


def processes_of(bench: TrainingBench) -> list[str]:
    """Lines of `pid arguments` of the processes that work for this bench."""
    found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if str(bench.root) in line]


def ends_within(seconds: float, pid: int) -> bool:
    """Wait for the end of a process that is nobody's child here."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)
