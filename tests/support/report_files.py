"""Reports of made-up experiments, each made once a session, and readers of their files."""

from __future__ import annotations

import csv
import threading
from collections.abc import Callable
from pathlib import Path

from tests.support.report_store import Design
from w2s_jobs.context import StepContext
from w2s_jobs.contracts.report import ReportParams
from w2s_jobs.contracts.results import Results
from w2s_jobs.contracts.steps import StepSpec
from w2s_jobs.steps import report
from w2s_jobs.store.folder import FolderStore

FILES = {"results.json", "results.csv", "cost.json", "report.html"}
SMALL = Design(rounds=((50, 80), (60,)), test=120, unlabelled=150, resamples=200)
DESIGNS = {
    "two rounds": SMALL,
    "one point": Design(rounds=((70,),), baselines=(), test=50, unlabelled=60, resamples=200),
    "no ceiling": Design(rounds=((50, 80),), baselines=("weak", "conventional"), unlabelled=100, resamples=200),
    "no gap": Design(rounds=((50,), (60,)), weak_skill=0.5, ceiling_skill=0.45, test=200, resamples=200),
    "levels and seeds": Design(levels=True, seeds=(0, 1), rounds=((50, 80), (60,)), test=120, resamples=200),
    "everything": Design(
        levels=True,
        seeds=(0, 1),
        rounds=((50, 70), (60, 80)),
        test=150,
        unlabelled=200,
        resamples=200,
        ablations=("unfiltered", "direct"),
        rules=("agreement", "calibrated"),
        extra_test=300,
        published="llama3_gsm8k",
    ),
    "rules alone": Design(
        seeds=(0, 1),
        rounds=((50, 80, "calibrated"), (60, "agreement")),
        test=100,
        unlabelled=150,
        resamples=200,
        baselines=("weak", "ceiling"),
    ),
    "nothing but rules": Design(rounds=(("agreement",), ("agreement",)), test=80, unlabelled=100, resamples=200),
    "many lines": Design(rounds=((50, 70, 80), (40, 60, 80), (50,)), test=80, unlabelled=200, resamples=200),
}
Reports = Callable[[str], dict[str, Path]]
TINY = DESIGNS["one point"]


def run_spec(root: Path, spec: StepSpec) -> dict[str, Path]:
    (root / "work").mkdir(parents=True, exist_ok=True)
    context = StepContext(spec, FolderStore(root / "store"), threading.Event())
    return dict(report.run(context, ReportParams.model_validate(spec.params)).files)


def bytes_of(files: dict[str, Path]) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in files.items()}


def csv_rows(files: dict[str, Path]) -> list[dict[str, str]]:
    return list(csv.DictReader(files["results.csv"].read_text().splitlines()))


def results_of(files: dict[str, Path]) -> Results:
    return Results.model_validate_json(files["results.json"].read_text())
