"""The executor with real processes that keep the steps' contract and do what each test tells them."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from controller.errors import RunFailed
from controller.local.executor import Executor, Site
from controller.local.machine import Machine
from controller.local.run_folder import RunFolder
from controller.local.standing import Outcome
from controller.local.view import PlainView
from controller.plan.decide import RetryPolicy
from controller.plan.graph import Plan, Resources, Step
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.report import ReportParams
from w2s_jobs.contracts.settings import TaskSettings
from w2s_jobs.contracts.step_params import GradeParams
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.open import open_store

FAKE_WORKER = Path(__file__).parents[3] / "support" / "fake_worker.py"
TASK = TaskSettings(family="scan")


def key_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def a_step(name: str, *after: str, gpus: int = 0, shards: int = 1) -> Step:
    """Build a step that reads the artifacts of those it comes after."""
    params = ReportParams(title="t", task=TASK, points=()) if name == "report" else GradeParams(task=TASK)
    kind = "report" if name == "report" else "grade"
    return Step(
        kind=kind,
        key=key_of(name),
        name=name,
        role="data",
        params=params,
        inputs={"samples": tuple(Input(kind="grade", key=key_of(other), file="x") for other in after)},
        resources=Resources(threads=1, gpus=gpus),
        shards=shards,
    )


class Scene:
    """A folder with a store, a plan, and what its processes are told to do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script = folder / "fake.json"
        self.settings = StoreSettings(uri=f"file://{folder}/store")
        self.console = Console(file=(folder / "shown").open("w"), width=500)
        self.tell()

    def tell(self, **behaviours: list[str]) -> None:
        self.script.write_text(json.dumps({key_of(name): told for name, told in behaviours.items()}))

    def run(self, *steps: Step, machine: Machine | None = None, **site: object) -> Outcome:
        plan = Plan("tiny", steps, points=(), report=key_of("report"))
        where = Site(
            store=open_store(self.settings),
            store_settings=self.settings,
            folder=RunFolder("tiny", self.folder / ".w2s"),
            machine=machine or Machine(cores=2),
            worker=(sys.executable, "-S", str(FAKE_WORKER)),
            policy=RetryPolicy(attempts=3, backoff_seconds=0.01),
            **site,  # type: ignore[arg-type]
        )
        return Executor(plan, where, PlainView(self.console)).run()

    def starts(self) -> Counter[str]:
        """Count the starts of each step (by the first digits of its key) and shard."""
        path = Path(f"{self.script}.starts")
        return Counter(line.split()[0] for line in path.read_text().splitlines()) if path.exists() else Counter()

    def times(self, name: str, shard: int = 0) -> int:
        return self.starts()[f"{key_of(name)}/{shard}"]

    @property
    def shown(self) -> str:
        self.console.file.flush()
        return (self.folder / "shown").read_text()


@pytest.fixture
def scene(tmp_path, monkeypatch):
    made = Scene(tmp_path)
    monkeypatch.setenv("W2S_FAKE", str(made.script))
    yield made
    made.console.file.close()


DIAMOND = (a_step("a"), a_step("b", "a"), a_step("c", "a"), a_step("report", "b", "c"))


def test_every_step_runs_once_and_the_second_run_computes_nothing(scene):
    first = scene.run(*DIAMOND)
    assert (first.exit_code, first.counts.computed, first.counts.reused) == (0, 4, 0)
    second = scene.run(*DIAMOND)
    assert (second.exit_code, second.counts.computed, second.counts.reused) == (0, 0, 4)
    assert [scene.times(name) for name in ("a", "b", "c", "report")] == [1, 1, 1, 1]


def test_only_what_a_changed_step_leads_to_runs_again(scene):
    scene.run(*DIAMOND)
    outcome = scene.run(a_step("a"), a_step("b", "a"), a_step("c2", "a"), a_step("report", "b", "c2"))
    # The report of this scene keeps its key, so it is done; what leads to it is not needed.
    assert outcome.counts.computed == 0
    open_store(scene.settings).delete(DIAMOND[3].ref)
    outcome = scene.run(a_step("a"), a_step("b", "a"), a_step("c2", "a"), a_step("report", "b", "c2"))
    assert (outcome.counts.computed, outcome.counts.reused) == (2, 2)
    assert [scene.times(name) for name in ("a", "b", "c2")] == [1, 1, 1]


def test_a_step_whose_input_can_never_work_is_tried_once_and_its_siblings_finish(scene):
    scene.tell(b=["exit:42"])
    outcome = scene.run(*DIAMOND)
    assert outcome.exit_code == 42
    assert [failure.name for failure in outcome.failures] == ["b"]
    assert outcome.blocked == ("report",)
    assert (scene.times("b"), scene.times("c"), scene.times("report")) == (1, 1, 0)


def test_a_failure_shows_the_error_first_then_the_log_and_where_the_rest_is(scene):
    scene.tell(b=["exit:42"])
    scene.run(*DIAMOND)
    shown = scene.shown.splitlines()
    at = next(i for i, line in enumerate(shown) if line.startswith("failed    b"))
    assert shown[at + 1].strip() == f"error: grade/{key_of('b')[:12]}: told to fail"
    assert shown[at + 2].strip() == "| working on it"
    log = Path(shown[at + 3].removeprefix("  whole log: "))
    assert log.name == f"b-{key_of('b')[:8]}.attempt1.log"
    assert "told to fail" in log.read_text()


def test_an_unavailable_dependency_is_tried_again(scene):
    scene.tell(b=["exit:43", "exit:43", "publish"])
    outcome = scene.run(*DIAMOND)
    assert outcome.exit_code == 0
    assert scene.times("b") == 3
    assert len(RunFolder("tiny", scene.folder / ".w2s").attempts(f"b-{key_of('b')[:8]}")) == 3


def test_a_step_that_keeps_crashing_is_given_up_and_fails_the_run(scene):
    scene.tell(b=["exit:1"])
    outcome = scene.run(*DIAMOND)
    assert outcome.exit_code == 1
    assert scene.times("b") == 3


def test_failures_of_two_classes_end_with_exit_code_1(scene):
    scene.tell(b=["exit:42"], c=["exit:43"])
    assert scene.run(*DIAMOND).exit_code == 1


def test_a_killed_step_is_started_again(scene):
    scene.tell(a=["kill", "publish"])
    assert scene.run(*DIAMOND).exit_code == 0
    assert scene.times("a") == 2


def test_a_step_that_was_told_to_stop_from_outside_is_not_charged(scene):
    scene.tell(a=["exit:143"] * 5 + ["publish"])
    assert scene.run(*DIAMOND).exit_code == 0
    assert scene.times("a") == 6


def test_ending_well_without_a_result_is_a_failure(scene):
    scene.tell(a=["silent"])
    outcome = scene.run(*DIAMOND)
    assert outcome.exit_code == 1
    assert "no result" in outcome.failures[0].message


def test_each_shard_is_a_process_and_the_step_is_done_with_the_last(scene):
    outcome = scene.run(a_step("a", shards=3), a_step("report", "a"))
    assert (outcome.exit_code, outcome.counts.computed) == (0, 2)
    assert [scene.times("a", shard) for shard in range(3)] == [1, 1, 1]


def test_a_failed_shard_does_not_fail_the_shards_that_ended_well(scene):
    scene.tell(a=["exit:43", "publish"])
    outcome = scene.run(a_step("a", shards=2), a_step("report", "a"))
    assert outcome.exit_code == 0


def test_each_process_sees_its_own_gpus_and_its_share_of_the_cores(scene):
    steps = [a_step("a", gpus=1), a_step("b", gpus=1), a_step("c"), a_step("report", "a", "b", "c")]
    scene.run(*steps, machine=Machine(cores=4, gpus=("0", "1")))
    lines = Path(f"{scene.script}.starts").read_text().splitlines()
    seen = {line.split("/")[0]: line.split(" ", 1)[1] for line in lines}
    assert {seen[key_of("a")], seen[key_of("b")]} == {"gpus=0 threads=1", "gpus=1 threads=1"}
    assert seen[key_of("c")] == "gpus= threads=1"


def test_a_run_that_needs_more_gpus_than_there_are_is_refused_before_anything_starts(scene):
    with pytest.raises(RunFailed, match="step 'b' needs 2 GPUs, this machine offers 1"):
        scene.run(a_step("a"), a_step("b", "a", gpus=2), a_step("report", "b"), machine=Machine(2, ("0",)))
    assert not scene.starts()


def test_nothing_of_an_attempt_is_left_in_scratch_space(scene):
    scene.tell(b=["exit:43", "publish"])
    scene.run(*DIAMOND)
    work = RunFolder("tiny", scene.folder / ".w2s").path / "work"
    assert [path for path in work.rglob("*") if path.is_file()] == []


RUN_AND_WAIT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_executor import *
scene = Scene(Path({folder!r}))
scene.tell(b=["wait"], c=["wait"])
outcome = scene.run(*DIAMOND)
print(outcome.counts, outcome.saved, outcome.stopped_by, flush=True)
sys.exit(outcome.exit_code)
"""


def start_and_wait_for_two_steps(folder: Path) -> subprocess.Popen[str]:
    """Start a run in a process of its own and return once both b and c run."""
    code = RUN_AND_WAIT.format(tests=str(Path(__file__).parent), folder=str(folder))
    env = {**os.environ, "W2S_FAKE": str(folder / "fake.json")}
    run = subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True)
    logs = RunFolder("tiny", folder / ".w2s").logs
    wanted = [logs / f"{name}-{key_of(name)[:8]}.attempt1.log" for name in "bc"]
    while run.poll() is None and not all(log.exists() and "waiting" in log.read_text() for log in wanted):
        os.sched_yield()
    return run


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_steps_and_tells_what_they_saved(tmp_path, monkeypatch, number, code):
    with start_and_wait_for_two_steps(tmp_path) as run:
        run.send_signal(number)
        printed, _ = run.communicate(timeout=20)
    assert run.returncode == code
    assert printed.count("3 of 5 rows are saved") == 2
    again = Scene(tmp_path)
    monkeypatch.setenv("W2S_FAKE", str(again.script))
    outcome = again.run(*DIAMOND)
    assert (outcome.exit_code, outcome.counts.computed, outcome.counts.reused) == (0, 3, 1)
    again.console.file.close()


def test_a_killed_run_goes_on_where_it_was_and_leaves_no_process(tmp_path, monkeypatch):
    with start_and_wait_for_two_steps(tmp_path) as run:
        run.kill()
    again = Scene(tmp_path)
    monkeypatch.setenv("W2S_FAKE", str(again.script))
    outcome = again.run(*DIAMOND)
    assert (outcome.exit_code, outcome.counts.computed, outcome.counts.reused) == (0, 3, 1)
    assert again.times("a") == 1
    again.console.file.close()
