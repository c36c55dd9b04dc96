"""A training on two nodes, which are two processes here: what one node learns, whatever happens to one of them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.support.training import TrainingBench, sayings
from w2s_jobs.contracts.settings import Parallelism, TrainingSettings
from w2s_jobs.contracts.steps import StepSpec

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900), pytest.mark.filterwarnings("default")]

TRAINING = TrainingSettings(learning_rate=1e-2, global_batch_size=8, epochs=4, max_seq_len=128, schedule="constant")
STEPS = 16
RANKS = Parallelism(zero_stage=2, ranks=2)


@pytest.fixture(scope="module", autouse=True)
def compiler() -> None:
    if shutil.which("g++") is None:
        missing("no g++: DeepSpeed compiles its CPU collective at first use")


@pytest.fixture
def bench(tmp_path: Path) -> TrainingBench:
    bench = TrainingBench(tmp_path)
    bench.add_examples(sayings(32))
    return bench


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """The losses of the same training on one node."""
    bench = TrainingBench(tmp_path_factory.mktemp("undisturbed"))
    bench.add_examples(sayings(32))
    return bench.losses(bench.run(bench.spec("undisturbed", TRAINING, RANKS)))


def on_two_nodes(bench: TrainingBench, name: str, checkpoint_seconds: float = 300) -> StepSpec:
    spec = bench.spec(name, TRAINING, RANKS, checkpoint_seconds)
    with socket.socket() as probe:
        probe.bind(("", 0))
        address = f"localhost:{probe.getsockname()[1]}"
    execution = spec.execution.model_copy(update={"nodes": 2, "rendezvous": address, "grace_seconds": 300})
    return spec.model_copy(update={"execution": execution})


def start_node(bench: TrainingBench, spec: StepSpec, node: int, attempt: str) -> subprocess.Popen[str]:
    """Start the pod of a node: its environment says which."""
    execution = spec.execution.model_copy(update={"work_dir": str(bench.root / "pods" / attempt)})
    file = bench.root / f"{attempt}.spec.json"
    file.write_text(spec.model_copy(update={"execution": execution}).model_dump_json(by_alias=True))
    pod = {
        "JOB_COMPLETION_INDEX": str(node),
        "W2S_POD_ATTEMPT": attempt,
        "GLOO_SOCKET_IFNAME": "lo",
    }
    command = [sys.executable, "-m", "w2s_jobs", "train", "--spec", str(file)]
    with (bench.root / f"{attempt}.log").open("w") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, text=True, env={**os.environ, **pod})


def log_of(bench: TrainingBench, attempt: str) -> str:
    return (bench.root / f"{attempt}.log").read_text()


def wait_for_step(bench: TrainingBench, spec: StepSpec, step: int, *nodes: subprocess.Popen[str]) -> None:
    while bench.steps_done(spec) < step:
        try:
            nodes[0].wait(timeout=0.005)
        except subprocess.TimeoutExpired:
            continue
        break
    assert all(node.poll() is None for node in nodes)


def test_two_nodes_learn_what_one_learns(bench: TrainingBench, undisturbed: list[float]) -> None:
    spec = on_two_nodes(bench, "two nodes")
    nodes = [start_node(bench, spec, node, f"quiet-{node}") for node in range(2)]
    assert [node.wait() for node in nodes] == [0, 0], log_of(bench, "quiet-0") + log_of(bench, "quiet-1")
    assert bench.losses(bench.result(spec)) == pytest.approx(undisturbed, rel=1e-5)
    assert bench.result(spec).attempt == "quiet-0"


@pytest.mark.parametrize("lost", [0, 1])
def test_when_a_node_is_killed_all_go_on_from_the_last_checkpoint(
    bench: TrainingBench, undisturbed: list[float], lost: int
) -> None:
    spec = on_two_nodes(bench, "killed", checkpoint_seconds=0)
    nodes = [start_node(bench, spec, node, f"first-{node}") for node in range(2)]
    wait_for_step(bench, spec, 5, *nodes)
    nodes[lost].send_signal(signal.SIGKILL)
    assert nodes[lost].wait() == -signal.SIGKILL
    nodes[lost] = start_node(bench, spec, lost, f"second-{lost}")
    logs = [log_of(bench, path.stem) for path in sorted(bench.root.glob("*.log"))]
    assert [node.wait() for node in nodes] == [0, 0], "\n".join(logs)
    assert "going on from the checkpoint after step" in log_of(bench, f"first-{1 - lost}")
    assert bench.losses(bench.result(spec)) == pytest.approx(undisturbed, rel=1e-5)
    assert len(bench.losses(bench.result(spec))) == STEPS


def test_a_node_that_is_told_to_stop_stops_alone_and_all_save(bench: TrainingBench, undisturbed: list[float]) -> None:
    spec = on_two_nodes(bench, "evicted")
    nodes = [start_node(bench, spec, node, f"first-{node}") for node in range(2)]
    wait_for_step(bench, spec, 5, *nodes)
    nodes[1].send_signal(signal.SIGTERM)
    assert nodes[1].wait() == 143, log_of(bench, "first-1")
    assert nodes[0].poll() is None
    nodes[1] = start_node(bench, spec, 1, "second-1")
    assert [node.wait() for node in nodes] == [0, 0], log_of(bench, "first-0") + log_of(bench, "second-1")
    assert "another node was told to stop" in log_of(bench, "first-0")
    assert bench.losses(bench.result(spec)) == pytest.approx(undisturbed, rel=1e-5)
