"""survey: compare models over several capabilities, and write tables and one page about what came out."""

from __future__ import annotations

import jinja2
import matplotlib
import numpy as np

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.survey import SurveyParams
from w2s_jobs.core.survey.assemble import build_survey
from w2s_jobs.core.survey.csv_rows import SURVEY_COLUMNS, survey_rows
from w2s_jobs.engines.reporting.history import read_history
from w2s_jobs.engines.reporting.result_files import write_csv, write_json
from w2s_jobs.engines.surveying.evidence import read_survey_evidence
from w2s_jobs.engines.surveying.page import render_page
from w2s_jobs.tasks.registry import get_family

__all__ = ["run"]


def run(context: StepContext, params: SurveyParams) -> Outcome:
    """Write `results.json`, `results.csv` (from rows alone), `cost.json` and `report.html` (with times as well)."""
    evidence = read_survey_evidence(context, params)
    context.progress(1, 3, "parts")
    results = build_survey(params, evidence, {c.name: get_family(c.task).equal for c in params.capabilities})
    history = read_history(context, params.uses)
    context.progress(2, 3, "parts")
    folder = context.work_dir
    page = folder / "report.html"
    page.write_text(render_page(params, results, evidence.losses, history), encoding="utf-8")
    context.progress(3, 3, "parts")
    return Outcome(
        files={
            "results.json": write_json(folder / "results.json", results),
            "results.csv": write_csv(folder / "results.csv", SURVEY_COLUMNS, survey_rows(results)),
            "cost.json": write_json(folder / "cost.json", history.cost()),
            "report.html": page,
        },
        metrics={"points": len(params.points), "headline": results.verdict.headline},
        versions={"numpy": np.__version__, "matplotlib": matplotlib.__version__, "jinja2": jinja2.__version__},
    )
