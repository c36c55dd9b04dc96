"""What a step leaves out is not missed, and nothing else is left out."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import Any

import pytest

from w2s_jobs.contracts.steps import StepSpec
from w2s_jobs.engines.unused_libraries import unused_by

PROGRAM = """
import sys
from w2s_jobs.engines.unused_libraries import leave_out
leave_out(tuple(sys.argv[1:]))
import w2s_jobs.engines.open_sampler, w2s_jobs.engines.reward_scorer, w2s_jobs.engines.trainer
print(*(name for name in sys.argv[1:] if sys.modules[name]))
"""


def unused(kind: str, gpus: int = 0, **params: Any) -> tuple[str, ...]:
    key = hashlib.sha256(kind.encode()).hexdigest()
    execution = {"workDir": "/nowhere", "gpus": gpus}
    store = {"uri": "file:///nowhere"}
    return unused_by(
        StepSpec.model_validate({"kind": kind, "key": key, "params": params, "store": store, "execution": execution})
    )


@pytest.mark.parametrize(("kind", "params"), [("train", {}), ("sample", {"engine": "transformers"}), ("score", {})])
def test_a_step_that_loads_a_model_on_a_cpu_leaves_some_out(kind: str, params: dict[str, str]) -> None:
    assert "triton" in unused(kind, **params)


@pytest.mark.parametrize(
    ("kind", "gpus", "params"),
    [("train", 1, {}), ("score", 8, {}), ("sample", 0, {"engine": "vllm"}), ("choose", 0, {}), ("report", 0, {})],
)
def test_a_gpu_vllm_and_steps_that_load_no_model_find_all_that_is_installed(
    kind: str, gpus: int, params: dict[str, str]
) -> None:
    assert unused(kind, gpus, **params) == ()


def test_the_engines_load_without_them() -> None:
    command = [sys.executable, "-c", PROGRAM, *unused("train")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
