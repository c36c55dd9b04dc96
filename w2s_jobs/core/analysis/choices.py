"""Thresholds that a rule chose without gold, judged with gold: estimated against true correctness, and the regret.

The regret of a choice is the accuracy of the best swept threshold minus that of the chosen one. The best is found on
the test questions, so it is best partly by luck; the interval is that of multiple comparisons with the best (Hsu 1984),
from simultaneous intervals of all differences (bootstrap of the largest |t|): it may be read after looking for the
best, and it is [0, 0] only where every swept threshold is certainly worse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from w2s_jobs.contracts.analyses import CalibrationPoint, ChosenResult
from w2s_jobs.contracts.choices import ChosenThreshold
from w2s_jobs.contracts.estimates import Bounds, Difference
from w2s_jobs.contracts.report import ReportChoice, ReportPoint
from w2s_jobs.contracts.settings import Threshold
from w2s_jobs.core.analysis.evidence import Evidence
from w2s_jobs.core.analysis.labels import LabelJudge, correctness_at
from w2s_jobs.core.analysis.points import PointComparison, threshold_order
from w2s_jobs.core.analysis.resampling import Estimate, simultaneous

__all__ = ["judge_choices", "regret_of"]


@dataclass(frozen=True, eq=False)
class _Judged:
    """One choice with the points that it is compared by."""

    choice: ReportChoice
    found: ChosenThreshold
    model: ReportPoint | None
    sweep: Mapping[int, ReportPoint]
    result: ChosenResult


def judge_choices(
    choices: Sequence[ReportChoice],
    points: Sequence[ReportPoint],
    comparison: PointComparison,
    evidence: Evidence,
    judge: LabelJudge,
) -> tuple[ChosenResult, ...]:
    """Judge every choice, and the mean over seeds where a rule chose under several seeds."""
    rounds = [point for point in points if point.role == "round"]
    order = sorted(choices, key=lambda c: (len(c.after), threshold_order(c.after), c.rule, c.seed))
    groups: dict[tuple[tuple[Threshold, ...], str], list[_Judged]] = {}
    for choice in order:
        if choice.choose in evidence.chosen:
            judged = _judge(choice, rounds, comparison, evidence, judge)
            groups.setdefault((choice.after, choice.rule), []).append(judged)
    results: list[ChosenResult] = []
    for group in groups.values():
        results.extend(judged.result for judged in group)
        if len(group) > 1:
            results.append(_mean(group, comparison))
    return tuple(results)


def regret_of(
    sweep: Mapping[int, Estimate], chosen: Estimate, to: str, confidence_level: float
) -> tuple[int, Difference]:
    """Return the best threshold (the lower of equals) and its advantage over the chosen one.

    The interval runs from the largest lower to the largest upper end of the simultaneous intervals.
    """
    thresholds = sorted(sweep)
    differences = simultaneous([sweep[t] for t in thresholds], chosen, to, confidence_level)
    best = max(range(len(thresholds)), key=lambda i: differences[i].value)
    intervals = [d.interval for d in differences if d.interval is not None]
    bounds = Bounds(low=max(i.low for i in intervals), high=max(i.high for i in intervals)) if intervals else None
    return thresholds[best], Difference(
        to=to,
        value=differences[best].value,
        interval=bounds,
        better=bounds is not None and bounds.low > 0,
        worse=bounds is not None and bounds.high < 0,
    )


def _judge(
    choice: ReportChoice,
    rounds: Sequence[ReportPoint],
    comparison: PointComparison,
    evidence: Evidence,
    judge: LabelJudge,
) -> _Judged:
    found = evidence.chosen[choice.choose]
    siblings = {p.thresholds[-1]: p for p in rounds if p.seed == choice.seed and p.thresholds[:-1] == choice.after}
    sweep = {threshold: point for threshold, point in siblings.items() if isinstance(threshold, int)}
    # A choice among trained thresholds needs no training of its own; otherwise the branch carries the rule's name.
    model = siblings.get(choice.rule) or siblings.get(found.threshold)
    curve = _calibration(choice, found, rounds, evidence, judge)
    at = next((row for row in curve if row.threshold == found.threshold), None)
    estimate = None if model is None else comparison.mean_estimate([model])
    best, regret, reason = _regret(comparison, {t: [p] for t, p in sweep.items()}, None if model is None else [model])
    result = ChosenResult(
        rule=choice.rule,
        seed=choice.seed,
        after=choice.after,
        threshold=found.threshold,
        swept=choice.swept,
        kept=None if at is None else at.kept,
        estimated_correctness=None if at is None else at.estimated,
        correctness=None if at is None else at.true,
        accuracy=None if estimate is None else comparison.accuracy(estimate),
        best_threshold=best,
        best_accuracy=None if best is None else round(comparison.mean_estimate([sweep[best]]).value, 6),
        regret=regret,
        reason=reason,
        calibration=curve,
        notes=found.notes,
    )
    return _Judged(choice, found, model, sweep, result)


def _mean(group: Sequence[_Judged], comparison: PointComparison) -> ChosenResult:
    """Take the mean over seeds: the chosen thresholds, each its own, against one threshold for all seeds."""
    first = group[0]
    models = [judged.model for judged in group if judged.model is not None]
    complete = len(models) == len(group)
    estimate = comparison.mean_estimate(models) if complete else None
    in_all = set.intersection(*(set(judged.sweep) for judged in group))
    sweep = {threshold: [judged.sweep[threshold] for judged in group] for threshold in in_all}
    best, regret, reason = _regret(comparison, sweep, models if complete else None)
    return ChosenResult(
        rule=first.choice.rule,
        seed=None,
        after=first.choice.after,
        threshold=round(sum(judged.found.threshold for judged in group) / len(group), 3),
        swept=all(judged.choice.swept for judged in group),
        kept=_average([judged.result.kept for judged in group]),
        estimated_correctness=_average([judged.result.estimated_correctness for judged in group]),
        correctness=_average([judged.result.correctness for judged in group]),
        accuracy=None if estimate is None else comparison.accuracy(estimate),
        best_threshold=best,
        best_accuracy=None if best is None else round(comparison.mean_estimate(sweep[best]).value, 6),
        regret=regret,
        reason=reason,
    )


def _regret(
    comparison: PointComparison, sweep: Mapping[int, Sequence[ReportPoint]], chosen: Sequence[ReportPoint] | None
) -> tuple[int | None, Difference | None, str | None]:
    if chosen is None:
        return None, None, "no model was trained at the chosen threshold"
    if not sweep:
        return None, None, "no sweep to compare with"
    estimates = {threshold: comparison.mean_estimate(points) for threshold, points in sweep.items()}
    best, regret = regret_of(estimates, comparison.mean_estimate(chosen), chosen[0].id, comparison.confidence_level)
    return best, regret, None


def _calibration(
    choice: ReportChoice,
    found: ChosenThreshold,
    rounds: Sequence[ReportPoint],
    evidence: Evidence,
    judge: LabelJudge,
) -> tuple[CalibrationPoint, ...]:
    """Set the rule's estimates beside what gold says of the same votes."""
    number = len(choice.after)
    grades = (
        point.grades[number]
        for point in rounds
        if point.seed == choice.seed and point.thresholds[:number] == choice.after and len(point.grades) > number
    )
    votes = next((evidence.votes[grade] for grade in grades if grade in evidence.votes), None)
    curve = []
    for candidate in found.candidates:
        known = None
        if votes is not None:
            known = correctness_at(votes, judge, candidate.threshold, reasoned_only=choice.require_chain_of_thought)
        curve.append(
            CalibrationPoint(
                threshold=candidate.threshold,
                kept=candidate.kept,
                estimated=candidate.estimated_correctness,
                true=None if known is None else known[1],
            )
        )
    return tuple(curve)


def _average(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 6) if known and len(known) == len(values) else None
