"""SurveyEvidence -> SurveyResults: every number of a survey, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np

from w2s_jobs.contracts.survey import SurveyParams
from w2s_jobs.contracts.survey_results import RewardQuality, SurveyResults
from w2s_jobs.core.analysis.losses import loss_ends
from w2s_jobs.core.survey.comparison import SurveyComparison
from w2s_jobs.core.survey.evidence import SurveyEvidence
from w2s_jobs.core.survey.judge import JudgedLabels, judge_labels, make_judges
from w2s_jobs.core.survey.labels import label_quality
from w2s_jobs.core.survey.model_agreement import agreements
from w2s_jobs.core.survey.notes import survey_notes
from w2s_jobs.core.survey.rewards import judge_rewards
from w2s_jobs.core.survey.training import what_was_learnt
from w2s_jobs.core.survey.verdict import SurveyFindings, write_verdict

__all__ = ["build_survey"]


def build_survey(
    params: SurveyParams, evidence: SurveyEvidence, equal: Mapping[str, Callable[[str, str], bool]]
) -> SurveyResults:
    """Compute `results.json`. `equal` tells by capability whether two answers mean the same in its family."""
    judges = make_judges(params, evidence, equal)
    judged = judge_labels(params, evidence, judges)
    comparison = SurveyComparison(params, evidence)
    settings = comparison.settings(what_was_learnt(params, evidence, judges))
    labels = label_quality(judged, evidence.kept)
    rewards = tuple(_rewards(judged, evidence, params.cutoff))
    return SurveyResults(
        title=params.title,
        description=params.description,
        models=params.models,
        capabilities=comparison.capabilities,
        families={c.name: c.task.family for c in params.capabilities},
        test_questions=comparison.questions,
        unlabelled_questions={name: len(judge.row_ids) for name, judge in judges.items()},
        confidence_level=params.confidence_level,
        resamples=params.resamples,
        seed=params.seed,
        verdict=write_verdict(SurveyFindings(settings, rewards, comparison, params.confidence_level)),
        settings=settings,
        labels=labels,
        agreements=agreements(params, evidence, judged, judges),
        rewards=rewards,
        losses=tuple(loss_ends(_train_names(params), evidence.losses, "training")),
        notes=tuple(survey_notes(params, comparison, settings, judges, labels)),
    )


def _rewards(judged: Sequence[JudgedLabels], evidence: SurveyEvidence, cutoff: float) -> Iterator[RewardQuality]:
    """Judge the rewards of each pair of models: those of all capabilities together first, then of each."""
    scored = [labels for labels in judged if labels.of.scores is not None]
    for pair, of_pair in groupby(scored, key=lambda labels: labels.pair):
        entries = list(of_pair)
        yield _judged_rewards(entries, evidence, cutoff, pair, None)
        for capability, seeds in groupby(entries, key=lambda labels: labels.of.capability):
            yield _judged_rewards(list(seeds), evidence, cutoff, pair, capability)


def _judged_rewards(
    entries: Sequence[JudgedLabels],
    evidence: SurveyEvidence,
    cutoff: float,
    pair: tuple[str, str],
    capability: str | None,
) -> RewardQuality:
    rewards = [evidence.rewards[str(labels.of.scores)][row_id] for labels in entries for row_id in labels.judge.row_ids]
    right = [answer.right for labels in entries for answer in labels.weak]
    return judge_rewards(np.array(rewards, dtype=np.float64), np.array(right, dtype=np.bool_), cutoff, pair, capability)


def _train_names(params: SurveyParams) -> dict[str, str]:
    """Name each training after the first point that it belongs to; several of one point are told apart.

    A model a capability was trained in the order of `params.capabilities`; that of a mapping means nothing.
    """
    names: dict[str, str] = {}
    for point in params.points:
        if len(point.trains) == len(point.evaluations) and point.role in ("weak", "wts-single"):
            marks = [f" {one.name}" for one in params.capabilities if one.name in point.evaluations]
        else:
            marks = [f" {n} of {len(point.trains)}" for n in range(1, len(point.trains) + 1)]
        for train, mark in zip(point.trains, marks, strict=True):
            names.setdefault(train, point.id + (mark if len(point.trains) > 1 else ""))
    return names
