"""Brings the report's files from the store to the run's folder, where a person finds them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from controller.plan.graph import Plan
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.store.protocol import ArtifactStore

__all__ = ["copy_report", "read_results"]

_REPORT = "report.html"
_RESULTS = "results.json"
_FILES = (_REPORT, _RESULTS, "results.csv", "cost.json")


def copy_report(store: ArtifactStore, plan: Plan, into: Path) -> Path:
    """Copy the files of the plan's finished report into a folder and return the path of `report.html`.

    Raises
    ------
    InputError
        The report is not there, or a file of it is not what its result states.
    """
    into.mkdir(parents=True, exist_ok=True)
    scratch = into / ".fetched"
    kind = plan.step(plan.report).kind
    for name in _FILES:
        fetched = store.fetch(Input(kind=kind, key=plan.report, file=name), scratch)
        staged = into / f".{name}"
        shutil.copyfile(fetched, staged)
        staged.replace(into / name)
    shutil.rmtree(scratch, ignore_errors=True)
    return into / _REPORT


def read_results(folder: Path) -> dict[str, Any]:
    """Read the `results.json` that `copy_report` put into a folder."""
    results: dict[str, Any] = json.loads((folder / _RESULTS).read_text())
    return results
