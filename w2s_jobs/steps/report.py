"""report: read the rows of every point, compare them, and write tables and one page about what came out."""

from __future__ import annotations

import jinja2
import matplotlib
import numpy as np

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.report import ReportParams
from w2s_jobs.core.analysis.assemble import build_results
from w2s_jobs.core.analysis.csv_rows import CSV_COLUMNS, csv_rows
from w2s_jobs.engines.reporting.evidence import read_evidence
from w2s_jobs.engines.reporting.history import read_history
from w2s_jobs.engines.reporting.page import render_page
from w2s_jobs.engines.reporting.published_table import read_published
from w2s_jobs.engines.reporting.result_files import write_csv, write_json
from w2s_jobs.tasks.registry import get_family

__all__ = ["run"]


def run(context: StepContext, params: ReportParams) -> Outcome:
    """Write `results.json`, `results.csv` (from rows alone), `cost.json` and `report.html` (with times as well)."""
    evidence = read_evidence(context, params)
    context.progress(1, 3, "parts")
    results = build_results(params, evidence, get_family(params.task).equal, read_published())
    history = read_history(context, params.uses)
    cost = history.cost()
    context.progress(2, 3, "parts")
    page = context.work_dir / "report.html"
    page.write_text(render_page(params, results, evidence.losses, history), encoding="utf-8")
    context.progress(3, 3, "parts")
    best = next((choice for choice in results.best if choice.round is None), None)
    return Outcome(
        files={
            "results.json": write_json(context.work_dir / "results.json", results),
            "results.csv": write_csv(context.work_dir / "results.csv", CSV_COLUMNS, csv_rows(results)),
            "cost.json": write_json(context.work_dir / "cost.json", cost),
            "report.html": page,
        },
        metrics={
            "points": len(results.points),
            "best": best.name if best else None,
            "headline": results.verdict.headline,
        },
        versions={"numpy": np.__version__, "matplotlib": matplotlib.__version__, "jinja2": jinja2.__version__},
    )
