"""Labels against the gold of the unlabelled splits, one judge a capability."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from w2s_jobs.contracts.survey import Relabelled, SurveyParams
from w2s_jobs.contracts.survey_results import AgreementCounts
from w2s_jobs.core.analysis.labels import LabelJudge
from w2s_jobs.core.survey.agreement import JudgedAnswer, agreement_class, as_counts
from w2s_jobs.core.survey.evidence import Answers, SurveyEvidence

__all__ = ["CapabilityJudge", "JudgedLabels", "judge_labels", "make_judges", "pair_order"]

Equal = Callable[[str, str], bool]


class CapabilityJudge:
    """Knows one capability's unlabelled gold, and when two of its answers mean the same."""

    def __init__(self, gold: Answers, equal: Equal) -> None:
        """`gold` is by row id; a pair of answers is compared once, however many models give it."""
        self.row_ids = sorted(gold)
        self.gold = gold
        self.equal: Equal = cache(equal)
        self._labels = LabelJudge(gold, self.equal)

    def judge(self, row_id: str, answer: str | None) -> JudgedAnswer:
        """Compare one label with gold."""
        return JudgedAnswer(answer, self._labels.is_right(row_id, answer))

    def judge_all(self, labels: Answers) -> list[JudgedAnswer]:
        """Compare the labels of every row of gold, in order of row ids."""
        return [self.judge(row_id, labels[row_id]) for row_id in self.row_ids]

    def count_right(self, labels: Answers) -> int:
        """Count the labels that are right."""
        return sum(self.judge(row_id, answer).right for row_id, answer in labels.items())

    def classes(self, first: Iterable[JudgedAnswer], second: Iterable[JudgedAnswer]) -> list[str]:
        """Name the class of agreement of each pair of answers."""
        return [agreement_class(one, other, self.equal) for one, other in zip(first, second, strict=True)]


@dataclass(frozen=True, eq=False)
class JudgedLabels:
    """Labels of one capability under one seed, judged: parallel columns in order of row ids."""

    of: Relabelled
    judge: CapabilityJudge
    weak: list[JudgedAnswer]
    strong: list[JudgedAnswer]
    second: list[JudgedAnswer] | None
    """labels of the WTS-2 model, where there are any"""
    classes: list[str]
    """class of agreement between weak and strong of each row"""

    @property
    def pair(self) -> tuple[str, str]:
        """Weak and strong model."""
        return self.of.weak, self.of.model

    def class_counts(self, kept: Answers) -> AgreementCounts:
        """Count the classes of the rows that were kept."""
        rows = zip(self.judge.row_ids, self.classes, strict=True)
        return as_counts(name for row_id, name in rows if row_id in kept)


def make_judges(
    params: SurveyParams, evidence: SurveyEvidence, equal: Mapping[str, Equal]
) -> dict[str, CapabilityJudge]:
    """Make the judge of each capability; `equal` is by capability."""
    return {c.name: CapabilityJudge(evidence.gold[c.gold], equal[c.name]) for c in params.capabilities}


def judge_labels(
    params: SurveyParams, evidence: SurveyEvidence, judges: Mapping[str, CapabilityJudge]
) -> list[JudgedLabels]:
    """Judge all labels, in the order of the chain of models, of capabilities, and of seeds."""
    names = [c.name for c in params.capabilities]
    place = pair_order(params.models)
    entries = sorted(params.relabelled, key=lambda e: (place((e.weak, e.model)), names.index(e.capability), e.seed))
    return [_judged(entry, evidence, judges[entry.capability]) for entry in entries]


def pair_order(models: tuple[str, ...]) -> Callable[[tuple[str, str]], tuple[int, int]]:
    """Order pairs of (weak, strong) by the strong model's place in the chain, then by the weak one's."""
    places = {name: place for place, name in enumerate(models)}
    return lambda pair: (places.get(pair[1], len(places)), places.get(pair[0], len(places)))


def _judged(entry: Relabelled, evidence: SurveyEvidence, judge: CapabilityJudge) -> JudgedLabels:
    weak, strong = (judge.judge_all(evidence.votes[key]) for key in (entry.weak_votes, entry.strong_votes))
    return JudgedLabels(
        of=entry,
        judge=judge,
        weak=weak,
        strong=strong,
        second=None if entry.second_votes is None else judge.judge_all(evidence.votes[entry.second_votes]),
        classes=judge.classes(weak, strong),
    )
