"""The report over a sweep of thresholds: its parameters, and what it reads."""

from __future__ import annotations

from collections.abc import Mapping

from controller.api.v1alpha1 import Capability
from controller.plan.builder import PlanBuilder, output
from controller.plan.compared import Compared, ReportHead
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.report import ReportChoice, ReportParams, ReportPoint

__all__ = ["report_sweep"]


def report_sweep(
    build: PlanBuilder, of: Capability, points: tuple[ReportPoint, ...], choices: tuple[ReportChoice, ...]
) -> Compared:
    """Compare the points of a sweep."""

    def params(head: ReportHead) -> ReportParams:
        return ReportParams(
            title=head.title,
            description=head.description,
            task=of.task,
            points=points,
            choices=choices,
            uses=head.uses,
            manifest=head.manifest,
            resamples=head.resamples,
            confidence_level=head.confidence_level,
            seed=head.seed,
            published=build.spec.evaluation.published,
        )

    return Compared(points, "report", _inputs(build, of, points, choices), params)


def _inputs(
    build: PlanBuilder, of: Capability, points: tuple[ReportPoint, ...], choices: tuple[ReportChoice, ...]
) -> Mapping[str, tuple[Input, ...]]:
    """Name what the report reads. Gold of the unlabelled split is here for the analyses of label correctness."""
    gold, questions = build.gold(of, "unlabelled"), build.questions(of, "unlabelled")
    steps = build.steps
    grades = {key for point in points for key in point.grades}
    selects = {key for point in points for key in point.selects}
    chosen = {choice.choose for choice in choices}
    return {
        "scored": tuple(output(step, "scored.parquet") for step in steps if step.kind == "evaluate"),
        "votes": tuple(output(step, "votes.parquet") for step in steps if step.key in grades),
        "kept": tuple(output(step, "kept.parquet") for step in steps if step.key in selects),
        "thresholds": tuple(output(step, "threshold.json") for step in steps if step.key in chosen),
        "gold": (gold,),
        "questions": (questions,),
        "loss": tuple(output(step, "loss.json") for step in steps if step.kind == "train"),
    }
