"""The executor's own overhead: a chain of steps that do nothing, against a bare loop that starts the same processes.

A chain leaves nothing to overlap, so everything that the executor does between two steps is on the clock: noticing the
end, asking the store, deciding, writing the spec, starting the next. The target is under 0.1 s a step.

    python -m benchmarks.executor [--steps 200]
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from controller.local.executor import Executor, Site
from controller.local.machine import Machine
from controller.local.run_folder import RunFolder
from controller.local.view import PlainView
from controller.plan.graph import Plan, Step
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.settings import TaskSettings
from w2s_jobs.contracts.step_params import GradeParams
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.open import open_store

TARGET_SECONDS = 0.1

# Reads its spec and publishes an empty result, as a step does; without imports that would hide the executor's share.
NOTHING = """
import json, pathlib, sys
spec = json.loads(pathlib.Path(sys.argv[3]).read_text())
home = pathlib.Path(spec["store"]["uri"][7:]) / spec["kind"] / spec["key"]
home.mkdir(parents=True)
(home / "result.json").write_text("{}")
"""


def a_chain(length: int) -> Plan:
    """Build a plan in which every step reads the artifact of the one before."""
    task = TaskSettings(family="scan")
    keys = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(length)]
    steps = tuple(
        Step(
            kind="grade",
            key=key,
            name=f"nothing {i}",
            role="data",
            params=GradeParams(task=task),
            inputs={"samples": (Input(kind="grade", key=keys[i - 1], file="samples/"),)} if i else {},
        )
        for i, key in enumerate(keys)
    )
    return Plan("benchmark", steps, points=(), report=keys[-1])


def time_executor(plan: Plan, home: Path, worker: tuple[str, ...]) -> float:
    settings = StoreSettings(uri=f"file://{home}/store")
    folder = RunFolder("benchmark", home)
    site = Site(open_store(settings), settings, folder, Machine(cores=1), worker)
    started = time.perf_counter()
    outcome = Executor(plan, site, PlainView(Console(file=io.StringIO()))).run()
    seconds = time.perf_counter() - started
    assert outcome.counts.computed == len(plan.steps), outcome
    return seconds


def time_bare_loop(plan: Plan, home: Path, worker: tuple[str, ...]) -> float:
    specs = home / "specs"
    specs.mkdir(parents=True)
    for step in plan.steps:
        spec = {"store": {"uri": f"file://{home}/store"}, "kind": step.kind, "key": step.key}
        (specs / step.key).write_text(json.dumps(spec))
    environment = dict(os.environ)
    started = time.perf_counter()
    for step in plan.steps:
        subprocess.run([*worker, step.kind, "--spec", str(specs / step.key)], env=environment, check=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    steps = parser.parse_args().steps
    plan = a_chain(steps)
    with tempfile.TemporaryDirectory() as name:
        script = Path(name) / "nothing.py"
        script.write_text(NOTHING)
        worker = (sys.executable, "-S", str(script))
        bare = time_bare_loop(plan, Path(name) / "bare", worker)
        executor = time_executor(plan, Path(name) / "executor", worker)
    overhead = (executor - bare) / steps
    print(f"bare loop        {bare / steps * 1000:7.1f} ms a step")
    print(f"executor         {executor / steps * 1000:7.1f} ms a step")
    print(f"overhead         {overhead * 1000:7.1f} ms a step (target: under {TARGET_SECONDS * 1000:.0f} ms)")
    print(f"ratio            {overhead / TARGET_SECONDS:7.2f} of the allowed overhead (target: at most 1.00)")
    sys.exit(overhead > TARGET_SECONDS)


if __name__ == "__main__":
    main()
