"""Evidence -> Results: every number of the report, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import get_args

import numpy as np

from w2s_jobs.contracts.analyses import Composition, GroupAccuracy, ThresholdLabels
from w2s_jobs.contracts.report import ReportParams, ReportPoint
from w2s_jobs.contracts.results import PointResult, Results, SettingResult, TrainingSet
from w2s_jobs.contracts.settings import Threshold
from w2s_jobs.core.analysis.ablations import filter_effects, form_comparisons, iterations
from w2s_jobs.core.analysis.choices import judge_choices
from w2s_jobs.core.analysis.composition import By, compose, group_accuracy
from w2s_jobs.core.analysis.evidence import Evidence
from w2s_jobs.core.analysis.extra_test import compare_extra_test
from w2s_jobs.core.analysis.labels import KeptLabels, LabelJudge, threshold_curve, training_set
from w2s_jobs.core.analysis.losses import loss_ends
from w2s_jobs.core.analysis.notes import FEW_QUESTIONS, seed_notes, undefined_notes
from w2s_jobs.core.analysis.omitted import omitted_analyses
from w2s_jobs.core.analysis.points import PointComparison, setting_name
from w2s_jobs.core.analysis.published import PublishedRow, lay_beside
from w2s_jobs.core.analysis.resampling import Bootstrap, estimate_all
from w2s_jobs.core.analysis.verdict import Findings, write_verdict

__all__ = ["build_results"]

_ON_GOLD = ("ceiling", "direct-ceiling")


def build_results(
    params: ReportParams,
    evidence: Evidence,
    equal: Callable[[str, str], bool],
    published: Sequence[PublishedRow] = (),
) -> Results:
    """Compute `results.json`. `equal` tells whether two answers mean the same in the task's family."""
    judge = LabelJudge(evidence.gold, equal)
    bootstrap = Bootstrap(params.resamples, params.confidence_level, params.seed)
    questions = next(iter(evidence.correct.values())).size
    estimates = estimate_all(evidence.correct, bootstrap)
    comparison = PointComparison(params.points, estimates, questions, bootstrap)
    training = {point.id: found for point in params.points if (found := _training(point, evidence, judge)) is not None}
    settings, gap, best = comparison.settings(training), comparison.gap(), comparison.best()
    extra_test = compare_extra_test(params.points, evidence, estimates, bootstrap)
    results = Results(
        title=params.title,
        description=params.description,
        family=params.task.family,
        test_questions=questions,
        unlabelled_questions=evidence.unlabelled,
        confidence_level=params.confidence_level,
        resamples=params.resamples,
        seed=params.seed,
        verdict=write_verdict(Findings(settings, gap, best, questions, params.confidence_level)),
        gap=gap,
        best=best,
        settings=settings,
        points=(points := comparison.results(training)),
        extra_test=extra_test,
        choices=judge_choices(params.choices, params.points, comparison, evidence, judge),
        filter_effects=filter_effects(settings, comparison),
        iterations=iterations(settings, best),
        forms=form_comparisons(settings, comparison),
        published=lay_beside(params.published, published, settings, extra_test),
        threshold_labels=_threshold_labels(params.points, evidence, judge),
        compositions=tuple(_compositions(params.points, evidence)),
        group_accuracies=tuple(_group_accuracies(params.points, evidence)),
        losses=tuple(loss_ends(_train_names(params.points), evidence.losses)),
        notes=tuple(_notes(params, settings, points, questions)),
    )
    return results.model_copy(update={"omitted": omitted_analyses(results)})


def _training(point: ReportPoint, evidence: Evidence, judge: LabelJudge) -> TrainingSet | None:
    """Describe what a point learnt from; None for a model that was given."""
    if point.role in _ON_GOLD and evidence.unlabelled is not None:
        return TrainingSet(size=evidence.unlabelled, coverage=1, label_correctness=1)
    rounds = []
    for number, select in enumerate(point.selects):
        if select not in evidence.kept:
            return None
        kept = evidence.kept[select]
        votes = evidence.votes.get(point.grades[number]) if number < len(point.grades) else None
        rounds.append(KeptLabels(kept.row_ids, kept.answers, None if votes is None else len(votes.row_ids)))
    return training_set(rounds, judge, evidence.unlabelled) if rounds else None


def _threshold_labels(
    points: Sequence[ReportPoint], evidence: Evidence, judge: LabelJudge
) -> tuple[ThresholdLabels, ...]:
    """Draw the whole curve of the first round's votes, once for each seed."""
    first = {
        point.grades[0]: point.seed for point in reversed(points) if point.role == "round" and len(point.grades) == 1
    }
    curves = {
        seed: threshold_curve(evidence.votes[grade], judge, seed)
        for grade, seed in first.items()
        if grade in evidence.votes
    }
    return tuple(row for seed in sorted(curves) for row in curves[seed])


def _compositions(points: Sequence[ReportPoint], evidence: Evidence) -> Iterator[Composition]:
    pooled: dict[tuple[str, tuple[Threshold, ...]], list[str]] = {}
    for point in points:
        if point.role in ("round", "unfiltered") and all(select in evidence.kept for select in point.selects):
            rows = pooled.setdefault((setting_name(point.role, point.thresholds), point.thresholds), [])
            rows.extend(row_id for select in point.selects for row_id in evidence.kept[select].row_ids)
    sets = [(name, thresholds, rows) for (name, thresholds), rows in pooled.items()]
    for by in get_args(By):
        found = compose(by, evidence.unlabelled_groups.get(by, {}), sets)
        if found is not None:
            yield found


def _group_accuracies(points: Sequence[ReportPoint], evidence: Evidence) -> Iterator[GroupAccuracy]:
    by_setting: dict[str, list[np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]] = {}
    for point in points:
        by_setting.setdefault(setting_name(point.role, point.thresholds), []).append(evidence.correct[point.evaluate])
    for by in get_args(By):
        found = group_accuracy(by, evidence.test_groups.get(by, ()), by_setting)
        if found is not None:
            yield found


def _train_names(points: Sequence[ReportPoint]) -> dict[str, str]:
    """Name each training after the first point that it belongs to."""
    return {point.train: point.id for point in reversed(points) if point.train is not None}


def _notes(
    params: ReportParams, settings: Sequence[SettingResult], points: Sequence[PointResult], questions: int
) -> Iterator[str]:
    if sum(setting.role == "round" for setting in settings) > 1:
        text = "The best setting was chosen on the test questions themselves, so its own accuracy and PGR are a little "
        compared = any(setting.difference is not None for setting in settings)
        allows = "; the interval of its difference to conventional training allows for the choice" if compared else ""
        yield f"{text}flattered{allows}."
    pgrs = [*(setting.pgr for setting in settings), *(point.pgr for point in points)]
    yield from undefined_notes(pgrs, params.resamples)
    if questions < FEW_QUESTIONS:
        yield f"With only {questions:,} test questions, differences of a few points cannot be told from chance."
    yield from seed_notes(len({point.seed for point in params.points}))
    small = [s.name for s in settings if s.training is not None and s.training.size < 50]
    if small:
        yield f"Trained on fewer than 50 examples: {', '.join(small)}."
