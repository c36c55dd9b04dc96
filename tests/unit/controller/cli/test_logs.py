"""`w2s logs`: of a run on this machine from its folder, of pods from the store."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from controller.cli.experiment_file import read_plan
from controller.cli.logs import command
from controller.errors import W2sError
from controller.local.run_folder import RunFolder
from controller.local.step_spec import label_of
from controller.plan.graph import Plan
from tests.unit.controller.conftest import TINY
from w2s_jobs.contracts.artifact import LogName
from w2s_jobs.store.folder import FolderStore

FILE = "experiment.yaml"


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.chdir(tmp_path)
    Path(FILE).write_text(TINY)
    return read_plan(Path(FILE))[1]


@pytest.fixture
def pods(plan: Plan) -> Plan:
    """Two attempts at shard 0 of the first step left logs in a store, and one at shard 1."""
    store = FolderStore(Path("cluster").absolute())
    for part, hour, attempt in ((0, 10, "c"), (0, 9, "z"), (1, 8, "a")):
        name = LogName(part=part, started=f"20260131T{hour:02d}0000Z", attempt=attempt)
        store.write_log(plan.steps[0].ref, name, f"said by {attempt}\n".encode())
    return plan


def w2s_logs(*arguments: str) -> str:
    done = CliRunner().invoke(command, [*arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_the_last_attempt_of_every_shard_is_printed(pods: Plan) -> None:
    assert w2s_logs(FILE, pods.steps[0].key, "--store", "cluster") == "said by c\nsaid by a\n"


def test_an_earlier_attempt_is_asked_for_by_its_number(pods: Plan) -> None:
    assert w2s_logs(FILE, pods.steps[0].key, "--store", "cluster", "--attempt", "1") == "said by z\nsaid by a\n"


def test_a_kind_and_a_key_need_no_manifest(pods: Plan) -> None:
    step = pods.steps[0]
    assert w2s_logs(f"{step.kind}/{step.key[:16]}", "--store", "cluster") == "said by c\nsaid by a\n"


def test_without_a_step_the_logs_are_listed(pods: Plan) -> None:
    lines = w2s_logs(FILE, "--store", "cluster").splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("part 0, attempt z, begun 2026-01-31 09:00:00 UTC")


def test_what_ran_on_this_machine_comes_from_its_folder(pods: Plan) -> None:
    log = RunFolder(pods.experiment).log(label_of(pods.steps[0]), 1)
    log.parent.mkdir(parents=True)
    log.write_text("said here\n")
    assert w2s_logs(FILE, pods.steps[0].key) == "said here\n"


def test_where_there_is_none_the_step_the_store_and_the_next_command_are_named(plan: Plan) -> None:
    step = plan.steps[0]
    with pytest.raises(W2sError, match=rf"/cluster keeps no log of {step.ref}: expected one .* w2s.dev/key=") as caught:
        w2s_logs(FILE, step.key, "--store", "cluster")
    assert step.key[:63] in str(caught.value)
    with pytest.raises(W2sError, match=r"/cluster keeps no log of .* kubectl get pods"):
        w2s_logs(FILE, "--store", "cluster")
    with pytest.raises(W2sError, match=r"/cluster holds nothing of train/abc; --store names another place"):
        w2s_logs("train/abc", "--store", "cluster")
