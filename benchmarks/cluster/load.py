"""Experiments of which a few steps are left to do: the store holds the results of all the others already.

A manifest compiles to a whole plan, of one step or of five there is none. So these are tests/e2e/tiny.yaml (26 steps)
under a seed of sampling and training of its own each, that no two share what is left to do, and what the controller
parses, compiles, asks the store for and shows in a status is all of it.
"""

from __future__ import annotations

import copy
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from controller.api.parse import parse_object
from controller.plan.compile import compile_plan
from controller.plan.graph import Plan, Step
from controller.plan.jobs import job_name
from controller.settings import Store
from tests.support.operator_process import ROOT
from w2s_jobs.contracts.artifact import FileEntry, StepResult
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.layout import RESULT, attempt_path, folder

__all__ = ["NAMESPACE", "Left", "Load", "make_load"]

NAMESPACE = "bench"
Left = Literal["one", "chain", "wide"]
"""What is left to do: the report; five steps that wait for each other (select, train, sample, evaluate, report); or
five evaluations beside each other and the report"""
Object = dict[str, Any]

_TINY = yaml.safe_load((ROOT / "tests" / "e2e" / "tiny.yaml").read_text())
_ATTEMPT = "stand-in"
_REPORT = b'{"verdict": {"headline": "written by a stand-in"}}'
_CHAIN = 5


@dataclass
class Load:
    """Experiments, and what their workers write."""

    store: Path
    manifests: list[Object] = field(default_factory=list)
    steps: dict[str, tuple[str, int]] = field(default_factory=dict)
    """experiment and place among its steps that are left, by name of the Job"""
    results: dict[str, tuple[Path, bytes]] = field(default_factory=dict)
    """result.json that a worker writes, by name of the Job"""

    @property
    def names(self) -> list[str]:
        """Names of the experiments."""
        return [manifest["metadata"]["name"] for manifest in self.manifests]

    def write(self, job: str) -> None:
        """Write the result of a Job's step, as its last pod would."""
        path, content = self.results[job]
        _write(path, content)


def make_load(store: Path, count: int, left: Left, duration: str = "0s", first: int = 0) -> Load:
    """Make experiments whose pods run for `duration`, and write what their other steps made."""
    load, written = Load(store), set[str]()
    target = Store(name="main", settings=StoreSettings(uri=store.as_uri()))
    for number in range(first, first + count):
        manifest = _manifest(number, left, duration)
        uid = {"uid": str(number), "generation": 1}
        plan = compile_plan(parse_object({**manifest, "metadata": {**manifest["metadata"], **uid}}))
        remaining = _remaining(plan, left)
        for place, step in enumerate(remaining):
            load.steps[job_name(step, target)] = (plan.experiment, place)
            load.results[job_name(step, target)] = _result(store, step)
        for step in plan.steps:
            if step not in remaining and step.key not in written:
                written.add(step.key)
                _write(*_result(store, step))
        load.manifests.append(manifest)
    return load


def _manifest(number: int, left: Left, duration: str) -> Object:
    pod = {"tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}]}
    manifest: Object = copy.deepcopy(_TINY)
    manifest["metadata"] = {"name": f"bench-{number:05}", "namespace": NAMESPACE}
    manifest["spec"] |= {
        "seeds": [number],
        "podTemplate": {"metadata": {"annotations": {"w2s.test/duration": duration}}, "spec": pod},
    }
    if left == "wide":
        manifest["spec"]["method"]["confidence"]["rounds"][1]["thresholds"] = [40, 60]
        manifest["spec"]["evaluation"]["seed"] = number  # that of the weak model is no other's either
    return manifest


def _remaining(plan: Plan, left: Left) -> tuple[Step, ...]:
    if left == "one":
        return plan.steps[-1:]
    if left == "wide":
        return tuple(step for step in plan.steps if step.kind in ("evaluate", "report"))
    chain = plan.steps[-_CHAIN:]
    for before, after in itertools.pairwise(chain):
        assert before.key in plan.dependencies(after), f"{after.name} does not wait for {before.name}"
    return chain


def _result(store: Path, step: Step) -> tuple[Path, bytes]:
    home = store / folder(step.ref)
    result = StepResult(
        kind=step.kind,
        key=step.key,
        attempt=_ATTEMPT,
        spec={},
        files=tuple(_report(home)) if step.kind == "report" else (),
        metrics={"accuracy": 0.5} if step.kind == "evaluate" else {},
        timings={"seconds": 1.0, "gpuSeconds": 2.0},
    )
    return home / RESULT, result.model_dump_json(by_alias=True).encode()


def _report(home: Path) -> Iterator[FileEntry]:
    """Lay the report's file where it is to be: only its result makes it count."""
    name = "results.json"
    path = attempt_path(_ATTEMPT, name)
    _write(home / path, _REPORT)
    yield FileEntry(name=name, path=path, size=len(_REPORT), sha256=hashlib.sha256(_REPORT).hexdigest())


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}")
    beside.write_bytes(content)
    beside.replace(path)
