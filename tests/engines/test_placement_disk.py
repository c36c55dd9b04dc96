"""The arithmetic of scratch space against the checkpoints that the trainer and DeepSpeed really save."""

from __future__ import annotations

import shutil
import signal
from math import prod
from pathlib import Path

import pytest
from safetensors import safe_open

from controller.plan.placement.disk import checkpoint_bytes
from controller.plan.placement.shapes import FAMILIES
from controller.plan.placement.training_memory import TrainingShape
from tests.conftest import missing
from tests.support.training import TrainingBench, sayings
from w2s_jobs.contracts.artifact import ArtifactRef
from w2s_jobs.contracts.settings import ModelSource, Parallelism, ScratchModel, TrainingSettings

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900), pytest.mark.filterwarnings("default")]

SMALL = ScratchModel(hidden_size=256, layers=3, heads=4, intermediate_size=1024, vocab_size=320, max_positions=128)
"""large enough for its weights to be all that counts"""
TRAINING = TrainingSettings(global_batch_size=8, epochs=6, max_seq_len=128, dtype="bfloat16")


@pytest.mark.parametrize("how", [Parallelism(), *(Parallelism(zero_stage=stage, ranks=2) for stage in (1, 2, 3))])
def test_a_checkpoint_is_as_large_as_the_placement_says(tmp_path: Path, how: Parallelism) -> None:
    if how.ranks > 1 and shutil.which("g++") is None:
        missing("no g++: DeepSpeed compiles its CPU collective at first use")
    bench = TrainingBench(tmp_path)
    bench.add_examples(sayings(64))
    spec = bench.spec("stopped", TRAINING, how, model=ModelSource(scratch=SMALL))
    code, output = bench.end_after(spec, 2, signal.SIGTERM)
    assert code == 143, output[-4000:]
    ref = ArtifactRef(kind="train", key=spec.key)
    saved = bench.store.list_parts(ref, "checkpoints/")
    weights = next(name for name in saved if name.endswith("/model.safetensors"))
    bench.store.get_part(ref, weights, tmp_path / "weights")
    shape = TrainingShape(FAMILIES["qwen1.5-0.5b"], TRAINING)
    bytes_each = checkpoint_bytes(shape, how) / shape.model.parameters
    assert sum(saved.values()) == pytest.approx(bytes_each * parameters(tmp_path / "weights"), rel=0.03)


def parameters(weights: Path) -> int:
    with safe_open(weights, framework="numpy") as opened:
        return sum(prod(opened.get_slice(name).get_shape()) for name in opened.keys())  # noqa: SIM118  no mapping
