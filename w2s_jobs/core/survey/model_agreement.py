"""Agreement of a model with its teacher, on unlabelled and on test questions (paper `reward`, fig. 5, 6, 24-29)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from w2s_jobs.contracts.survey import SurveyParams, SurveyPoint
from w2s_jobs.contracts.survey_results import Agreement, AgreementCounts
from w2s_jobs.core.survey.agreement import JudgedAnswer, as_counts, sum_counts
from w2s_jobs.core.survey.evidence import ScoredAnswers, SurveyEvidence
from w2s_jobs.core.survey.judge import CapabilityJudge, JudgedLabels, pair_order

__all__ = ["agreements"]

First = Literal["weak", "wts"]
Second = Literal["wts", "wts-2"]
Split = Literal["unlabelled", "test"]


@dataclass(frozen=True)
class _Compared:
    """Two sets of answers to the questions of one capability under one seed."""

    first: First
    second: Second
    on: Split
    pair: tuple[str, str]
    capability: str
    seed: int
    counts: AgreementCounts


def agreements(
    params: SurveyParams,
    evidence: SurveyEvidence,
    judged: Sequence[JudgedLabels],
    judges: Mapping[str, CapabilityJudge],
) -> tuple[Agreement, ...]:
    """Compare weak with WTS answers, and WTS with WTS-2 answers, wherever both are there."""
    names = [c.name for c in params.capabilities]
    place = pair_order(params.models)
    found = [*_on_unlabelled(judged), *_on_test(params.points, evidence, judges)]
    found.sort(
        key=lambda c: (place(c.pair), c.first == "wts", c.on == "test", names.index(c.capability), c.seed),
    )
    grouped = groupby(found, key=lambda c: (c.pair, c.first, c.second, c.on))
    return tuple(_together(list(compared)) for _, compared in grouped)


def _together(compared: Sequence[_Compared]) -> Agreement:
    one = compared[0]
    by_capability = groupby(compared, key=lambda c: c.capability)
    capabilities = {name: sum_counts(c.counts for c in seeds) for name, seeds in by_capability}
    return Agreement(
        first=one.first,
        second=one.second,
        on=one.on,
        weak=one.pair[0],
        model=one.pair[1],
        seeds=tuple(sorted({c.seed for c in compared})),
        together=sum_counts(capabilities.values()),
        capabilities=capabilities,
    )


def _on_unlabelled(judged: Sequence[JudgedLabels]) -> Iterator[_Compared]:
    for labels in judged:
        where = (labels.pair, labels.of.capability, labels.of.seed)
        yield _Compared("weak", "wts", "unlabelled", *where, as_counts(labels.classes))
        if labels.second is not None:
            classes = labels.judge.classes(labels.strong, labels.second)
            yield _Compared("wts", "wts-2", "unlabelled", *where, as_counts(classes))


def _on_test(
    points: Sequence[SurveyPoint], evidence: SurveyEvidence, judges: Mapping[str, CapabilityJudge]
) -> Iterator[_Compared]:
    """Compare the evaluations of the points of one seed; the weak model is a point without a teacher of its own."""
    found = {(p.role, p.weak, p.model, p.seed): p for p in points if p.role in ("weak", "wts", "wts-2")}
    for (role, weak, model, seed), point in found.items():
        if role != "wts" or weak is None:
            continue
        teacher, second = found.get(("weak", None, weak, seed)), found.get(("wts-2", weak, model, seed))
        pair = (weak, model)
        if teacher is not None:
            for name, counts in _compare(teacher, point, evidence, judges):
                yield _Compared("weak", "wts", "test", pair, name, seed, counts)
        if second is not None:
            for name, counts in _compare(point, second, evidence, judges):
                yield _Compared("wts", "wts-2", "test", pair, name, seed, counts)


def _compare(
    first: SurveyPoint, second: SurveyPoint, evidence: SurveyEvidence, judges: Mapping[str, CapabilityJudge]
) -> Iterator[tuple[str, AgreementCounts]]:
    for name, key in first.evaluations.items():
        if name in second.evaluations:
            one, other = evidence.scored[key], evidence.scored[second.evaluations[name]]
            yield name, as_counts(judges[name].classes(_answers(one), _answers(other)))


def _answers(scored: ScoredAnswers) -> list[JudgedAnswer]:
    return [JudgedAnswer(a, bool(right)) for a, right in zip(scored.answers, scored.correct, strict=True)]
