"""How right labels are before and after selection, and what is kept of them (paper `reward`, fig. 11, 12, 34-37)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import get_args

from w2s_jobs.contracts.settings import SelectionRule
from w2s_jobs.contracts.survey_results import CapabilityFigures, KeptLabels, LabelQuality
from w2s_jobs.core.survey.agreement import JudgedAnswer, as_counts, sum_counts
from w2s_jobs.core.survey.evidence import Answers
from w2s_jobs.core.survey.judge import JudgedLabels

__all__ = ["label_quality"]

_DIGITS = 6


def label_quality(judged: Sequence[JudgedLabels], kept: Mapping[str, Answers]) -> tuple[LabelQuality, ...]:
    """Describe the labels of each pair of models.

    Parameters
    ----------
    judged
        In order of pairs, then of capabilities.
    kept
        By select key: the weak labels that were kept.
    """
    return tuple(_of_pair(list(entries), kept) for _, entries in groupby(judged, key=lambda labels: labels.pair))


def _of_pair(entries: Sequence[JudgedLabels], kept: Mapping[str, Answers]) -> LabelQuality:
    grouped = groupby(entries, key=lambda labels: labels.of.capability)
    capabilities = {name: _of_capability(list(seeds), kept) for name, seeds in grouped}
    weak, model = entries[0].pair
    return LabelQuality(
        weak=weak,
        model=model,
        seeds=tuple(sorted({labels.of.seed for labels in entries})),
        average=_averaged(list(capabilities.values())),
        capabilities=capabilities,
    )


def _of_capability(seeds: Sequence[JudgedLabels], kept: Mapping[str, Answers]) -> CapabilityFigures:
    """Take the seeds of one capability together; each is about the same questions, so shares are means over seeds."""
    return CapabilityFigures(
        offered=_mean([len(labels.weak) for labels in seeds]),
        weak=_share([answer for labels in seeds for answer in labels.weak]),
        strong=_share([answer for labels in seeds for answer in labels.strong]),
        agreement=as_counts(name for labels in seeds for name in labels.classes),
        selected={
            rule: _kept([(labels, kept[labels.of.kept[rule]]) for labels in seeds if rule in labels.of.kept])
            for rule in get_args(SelectionRule)
            if any(rule in labels.of.kept for labels in seeds)
        },
    )


def _kept(selections: Sequence[tuple[JudgedLabels, Answers]]) -> KeptLabels:
    number = sum(len(kept) for _, kept in selections)
    offered = sum(len(labels.weak) for labels, _ in selections)
    right = sum(labels.judge.count_right(kept) for labels, kept in selections)
    return KeptLabels(
        kept=round(number / len(selections), _DIGITS),
        retention=round(number / offered, _DIGITS),
        correctness=round(right / number, _DIGITS) if number else None,
        by_class=sum_counts(labels.class_counts(kept) for labels, kept in selections),
    )


def _averaged(capabilities: Sequence[CapabilityFigures]) -> CapabilityFigures:
    """Average shares over capabilities, each weighed alike, and add counts up."""
    rules = [rule for rule in get_args(SelectionRule) if any(rule in figures.selected for figures in capabilities)]
    return CapabilityFigures(
        offered=round(sum(figures.offered for figures in capabilities), _DIGITS),
        weak=_mean([figures.weak for figures in capabilities]),
        strong=_mean([figures.strong for figures in capabilities]),
        agreement=sum_counts(figures.agreement for figures in capabilities),
        selected={
            rule: _averaged_kept([figures.selected[rule] for figures in capabilities if rule in figures.selected])
            for rule in rules
        },
    )


def _averaged_kept(selections: Sequence[KeptLabels]) -> KeptLabels:
    known = [kept.correctness for kept in selections if kept.correctness is not None]
    return KeptLabels(
        kept=round(sum(kept.kept for kept in selections), _DIGITS),
        retention=_mean([kept.retention for kept in selections]),
        correctness=_mean(known) if known else None,
        by_class=sum_counts(kept.by_class for kept in selections),
    )


def _share(answers: Sequence[JudgedAnswer]) -> float:
    return _mean([answer.right for answer in answers])


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), _DIGITS)
