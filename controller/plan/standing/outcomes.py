"""What finished steps and the report tell: accuracies as they arrive, PGR as the report says, GPU-seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from controller.api.status import MOST_POINTS, PointStatus, Results
from controller.plan.graph import Plan, Point
from controller.plan.standing.words import clip
from w2s_jobs.contracts.survey import SurveyPoint

__all__ = ["Report", "StepOutcome", "build_results", "gpu_seconds", "read_report"]

_NO_METHOD = frozenset({"weak", "ceiling", "in-context", "clean", "noise", "direct-weak", "direct-ceiling"})
"""Roles whose PGR is no achievement of a method: gold taught them, or nothing did"""


@dataclass(frozen=True)
class StepOutcome:
    """What the controller keeps of a `result.json`."""

    metrics: Mapping[str, Any] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def gpu_seconds(self) -> float:
        """GPU-seconds that the step took, all its processes together."""
        return float(self.timings.get("gpuSeconds", 0.0))

    @property
    def accuracy(self) -> float | None:
        """Accuracy (0..1) of an evaluate step; None of other steps, and where nothing was scored."""
        value = self.metrics.get("accuracy")
        return float(value) if isinstance(value, int | float) else None


@dataclass(frozen=True)
class Report:
    """What the controller keeps of a `results.json`."""

    uri: str
    best_pgr: str | None = None
    headline: str | None = None
    pgr: Mapping[str, float] = field(default_factory=dict)
    """PGR by point id, of those that have one"""
    accuracy: Mapping[str, float] = field(default_factory=dict)
    """accuracy by point id"""


def read_report(plan: Plan, results: Mapping[str, Any], uri: str) -> Report:
    """Read what a status shows off a `results.json` of a sweep or of a survey.

    It may have been written by another version: what is not there is left out. The shapes are those of
    `contracts.results.Results` and `contracts.survey_results.SurveyResults`.
    """
    survey = results.get("form") == "survey"
    points = _survey_points(plan, results) if survey else {one["id"]: one for one in results.get("points") or ()}
    return Report(
        uri=uri,
        best_pgr=_best_of_survey(results) if survey else _best_of_sweep(results),
        headline=(results.get("verdict") or {}).get("headline"),
        pgr={name: value for name, one in points.items() if (value := _value(one, "pgr")) is not None},
        accuracy={name: value for name, one in points.items() if (value := _value(one, "accuracy")) is not None},
    )


def build_results(plan: Plan, outcomes: Mapping[str, StepOutcome], report: Report | None) -> Results:
    """Build the results as far as they are known. PGR is the report's business: null until it is there."""
    known = report or Report(uri="")
    return Results(
        best_pgr=known.best_pgr,
        headline=None if known.headline is None else clip(known.headline),
        points=tuple(_point(point, outcomes, known) for point in plan.points[:MOST_POINTS]),
        report=known.uri or None,
    )


def gpu_seconds(plan: Plan, outcomes: Mapping[str, StepOutcome], ours: AbstractSet[str]) -> tuple[int, int]:
    """Return the GPU-seconds that this experiment spent, and those that it was saved.

    Parameters
    ----------
    plan : Plan
    outcomes : of the finished steps by key
    ours : keys of the steps that it ran a Job for

    A step that serves n points saves n - 1 times its seconds; one that existed before saves all n.
    """
    spent = saved = 0.0
    for key, outcome in outcomes.items():
        step = plan.by_key.get(key)
        if step is None:
            continue
        if key in ours:
            spent += outcome.gpu_seconds
        saved += outcome.gpu_seconds * max(step.uses - (key in ours), 0)
    return round(spent), round(saved)


def _point(point: Point, outcomes: Mapping[str, StepOutcome], report: Report) -> PointStatus:
    accuracy = report.accuracy.get(point.id)
    if accuracy is None:
        evaluated = tuple(point.evaluations.values()) if isinstance(point, SurveyPoint) else (point.evaluate,)
        found = [outcomes[key].accuracy for key in evaluated if key in outcomes]
        known = [one for one in found if one is not None]
        accuracy = fmean(known) if evaluated and len(known) == len(evaluated) else None
    return PointStatus(id=clip(point.id, 200), accuracy=_rounded(accuracy), pgr=_rounded(report.pgr.get(point.id)))


def _survey_points(plan: Plan, results: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Find each point's average: a survey writes settings, which are points where there is one seed."""
    single = {
        (one.get("role"), one.get("variant", ""), one.get("weak"), one.get("model"), *one["seeds"]): one["average"]
        for one in results.get("settings") or ()
        if len(one.get("seeds") or ()) == 1 and "average" in one
    }
    found = {}
    for point in plan.points:
        if isinstance(point, SurveyPoint):
            average = single.get((point.role, point.variant, point.weak, point.model, point.seed))
            if average is not None:
                found[point.id] = average
    return found


def _best_of_sweep(results: Mapping[str, Any]) -> str | None:
    """Write the PGR of the setting that the report calls the best of all rounds."""
    chosen = [one["name"] for one in results.get("best") or () if one.get("round") is None]
    of_best = [one for one in results.get("settings") or () if one.get("name") in chosen]
    if not of_best:
        return None
    if not (results.get("gap") or {}).get("certain"):
        return "no gap"
    return _written(_value(of_best[0], "pgr"))


def _best_of_survey(results: Mapping[str, Any]) -> str | None:
    """Write the highest average PGR of a setting that weak labels taught."""
    taught = [one for one in results.get("settings") or () if one.get("role") not in _NO_METHOD and one.get("average")]
    if not taught:
        return None
    return _written(max(_known(_value(one["average"], "pgr") for one in taught), default=None))


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _written(pgr: float | None) -> str:
    return "undefined" if pgr is None else f"{pgr + 0.0:.2f}"


def _value(one: Mapping[str, Any], name: str) -> float | None:
    value = (one.get(name) or {}).get("value")
    return float(value) if isinstance(value, int | float) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
