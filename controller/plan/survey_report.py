"""The report over several capabilities: its parameters, and what it reads."""

from __future__ import annotations

from collections.abc import Mapping

from controller.plan.builder import PlanBuilder, output
from controller.plan.compared import Compared, ReportHead
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.survey import Relabelled, SurveyCapability, SurveyParams, SurveyPoint

__all__ = ["report_survey"]


def report_survey(
    build: PlanBuilder, points: tuple[SurveyPoint, ...], relabelled: tuple[Relabelled, ...], cutoff: float
) -> Compared:
    """Compare ways of making models. `cutoff` is the reward above which a label is kept."""
    gold = {of.name: build.gold(of, "unlabelled") for of in build.capabilities}
    capabilities = tuple(
        SurveyCapability(name=of.name, task=of.task, gold=gold[of.name].key) for of in build.capabilities
    )

    def params(head: ReportHead) -> SurveyParams:
        return SurveyParams(
            title=head.title,
            description=head.description,
            models=tuple(model.name for model in build.spec.models.chain),
            capabilities=capabilities,
            points=points,
            relabelled=relabelled,
            cutoff=cutoff,
            uses=head.uses,
            manifest=head.manifest,
            resamples=head.resamples,
            confidence_level=head.confidence_level,
            seed=head.seed,
        )

    return Compared(points, "survey", _inputs(build, points, relabelled, tuple(gold.values())), params)


def _inputs(
    build: PlanBuilder,
    points: tuple[SurveyPoint, ...],
    relabelled: tuple[Relabelled, ...],
    gold: tuple[Input, ...],
) -> Mapping[str, tuple[Input, ...]]:
    """Name what the report reads. Gold of the unlabelled splits is here to judge labels by, after the fact."""
    steps = build.steps
    votes = {key for one in relabelled for key in (one.weak_votes, one.strong_votes, one.second_votes)}
    selected = {key for point in points for key in point.learnt.values()}
    selected |= {key for one in relabelled for key in one.kept.values()}
    scores = {one.scores for one in relabelled}
    return {
        "scored": tuple(output(step, "scored.parquet") for step in steps if step.kind == "evaluate"),
        "accuracy": tuple(output(step, "accuracy.json") for step in steps if step.kind == "evaluate"),
        "votes": tuple(output(step, "votes.parquet") for step in steps if step.key in votes),
        "kept": tuple(output(step, "kept.parquet") for step in steps if step.key in selected),
        "scores": tuple(output(step, "scores/") for step in steps if step.key in scores),
        "gold": gold,
        "loss": tuple(output(step, "loss.json") for step in steps if step.kind == "train"),
    }
