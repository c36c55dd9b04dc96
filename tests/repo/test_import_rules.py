"""Who may import whom, and what stays light."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "transformers", "vllm", "deepspeed", "datasets", "accelerate", "matplotlib", "math_verify", "sympy")
LIGHT = (
    "controller.cli.main",
    "controller.cli.plan",
    "controller.cli.experiment_file",
    "controller.local.executor",
    "controller.plan.compile",
    "controller.plan.estimate",
    "w2s_jobs.contracts.steps",
    "w2s_jobs.store.open",
    "w2s_jobs.store.protocol",
    "w2s_jobs.__main__",
)


@pytest.mark.parametrize("module", LIGHT)
def test_importing_it_loads_no_heavy_library(module: str) -> None:
    code = f"import sys, {module}; print(*(name for name in {HEAVY} if name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert loaded.split() == []


def test_a_step_over_a_folder_loads_no_library_of_s3() -> None:
    code = "import sys, w2s_jobs.__main__; print(*({'boto3', 'botocore', 'awscrt'} & sys.modules.keys()))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert loaded.split() == []


def test_the_import_contracts_hold() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([tool, "--no-cache"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
