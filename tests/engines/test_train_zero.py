"""DeepSpeed on two CPU ranks learns what plain PyTorch learns on one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from tests.conftest import missing
from tests.support.training import TrainingBench, sayings
from w2s_jobs.contracts.artifact import StepResult
from w2s_jobs.contracts.settings import Parallelism, TrainingSettings

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900), pytest.mark.filterwarnings("default")]

TRAINING = TrainingSettings(learning_rate=1e-2, global_batch_size=8, epochs=2, max_seq_len=128, schedule="constant")


@pytest.fixture(scope="module", autouse=True)
def compiler() -> None:
    if shutil.which("g++") is None:
        missing("no g++: DeepSpeed compiles its CPU collective at first use")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> TrainingBench:
    bench = TrainingBench(tmp_path_factory.mktemp("zero"))
    bench.add_examples(sayings(37))  # odd, so that ranks do not get equally many
    return bench


@pytest.fixture(scope="module")
def plain(bench: TrainingBench) -> StepResult:
    return bench.run(bench.spec("plain", TRAINING))


def largest_difference(bench: TrainingBench, one: StepResult, other: StepResult) -> float:
    left, right = (load_file(bench.file(result, "model/model.safetensors")) for result in (one, other))
    assert left.keys() == right.keys()
    return max(float((left[name] - right[name]).abs().max()) for name in left)


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_each_stage_learns_what_one_rank_learns(bench: TrainingBench, plain: StepResult, stage: int):
    packing = stage in (1, 3)
    spec = bench.spec(
        f"zero {stage}", TRAINING.model_copy(update={"packing": packing}), Parallelism(zero_stage=stage, ranks=2)
    )
    result = bench.run(spec)
    assert bench.losses(result) == pytest.approx(bench.losses(plain), rel=1e-3)
    assert largest_difference(bench, plain, result) < 5e-3
    assert "deepspeed" in result.versions
    model = AutoModelForCausalLM.from_pretrained(bench.file(result, "model/config.json").parent)
    assert model.dtype == torch.float32


def test_nothing_of_a_training_is_left_outside_its_work_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: TrainingBench
):
    elsewhere = tmp_path / "tmp"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    bench.run(bench.spec("tidy", TRAINING, Parallelism(zero_stage=0, ranks=2)))
    assert [path.name for path in elsewhere.iterdir()] == []


def test_a_rank_that_crashes_is_one_clear_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    bench = TrainingBench(tmp_path)
    bench.add_examples(sayings(8))
    spec = bench.spec("crash", TRAINING, Parallelism(zero_stage=2, ranks=2, offload=True))
    broken = spec.model_copy(update={"store": spec.store.model_copy(update={"uri": "file:///proc/nowhere"})})
    assert bench.exit_code(broken) in (42, 43)
    assert "error: " in capfd.readouterr().err
