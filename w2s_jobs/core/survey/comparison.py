"""Settings of a survey: accuracy, PGR and the difference to WTS, by capability and averaged over capabilities.

An average is that of the capabilities' accuracies, each weighed alike however many questions it has, and the averaged
PGR is computed from averaged accuracies (as the paper's averages are): it is not the mean of the capabilities' PGR, in
which a capability without a gap would count for more than all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.estimates import Accuracy, Difference, PgrResult, Spread
from w2s_jobs.contracts.survey import SurveyParams, SurveyPoint, SurveyRole
from w2s_jobs.contracts.survey_results import SurveyScore, SurveySetting
from w2s_jobs.core.analysis.resampling import (
    Bootstrap,
    Estimate,
    bounds,
    compare,
    estimate_all,
    mean_of,
    recovered,
    seed_weights,
    spread_of,
)
from w2s_jobs.core.metrics import resampled_interval
from w2s_jobs.core.seeds import derive_seed
from w2s_jobs.core.survey.evidence import SurveyEvidence
from w2s_jobs.core.survey.judge import pair_order
from w2s_jobs.core.survey.training import Learnt

__all__ = ["SurveyComparison", "SurveyGroup", "survey_name"]

_DIGITS = 6
Scope = tuple[str, ...]
"""Capabilities whose accuracies are averaged; one of them for that capability alone."""


def survey_name(role: str, variant: str, weak: str | None, model: str) -> str:
    """Name what points that differ by their seed only have in common, such as `selected-reward/0.5b-1.8b`."""
    return f"{role}{f'-{variant}' if variant else ''}/{f'{weak}-{model}' if weak else model}"


@dataclass(frozen=True)
class SurveyGroup:
    """The points of one setting, in order of seeds."""

    name: str
    points: tuple[SurveyPoint, ...]

    @property
    def first(self) -> SurveyPoint:
        """Any of them: they differ by their seed only."""
        return self.points[0]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the points."""
        return tuple(point.seed for point in self.points)

    def evaluated(self, scope: Scope) -> Scope:
        """Return those of the capabilities that every point was evaluated on."""
        return tuple(name for name in scope if all(name in point.evaluations for point in self.points))


class SurveyComparison:
    """All points of a survey, compared on the test questions of each capability."""

    def __init__(self, params: SurveyParams, evidence: SurveyEvidence) -> None:
        """Resample the questions of each capability apart, and seeds once for all capabilities."""
        self._params = params
        self._evidence = evidence
        self._level = params.confidence_level
        self.capabilities: Scope = tuple(c.name for c in params.capabilities)
        self._estimates = {name: self._estimate_capability(name) for name in self.capabilities}
        bootstrap = Bootstrap(params.resamples, params.confidence_level, params.seed)
        self._weights = seed_weights((point.seed for point in params.points), bootstrap)
        self.questions = {name: self._count_questions(name) for name in self.capabilities}
        self.groups = self._group()

    def settings(self, learnt: Mapping[str, Learnt]) -> tuple[SurveySetting, ...]:
        """Describe every setting; `learnt` is by the point's id."""
        return tuple(self._setting(group, learnt) for group in self.groups.values())

    def difference(self, name: str, to: str, scope: Scope | None = None) -> Difference | None:
        """Compare two settings on the capabilities (of the scope; None is all) and seeds that both have."""
        group, other = self.groups.get(name), self.groups.get(to)
        if group is None or other is None:
            return None
        found = self._together((group, other), scope or self.capabilities)
        return None if found is None else compare(found[0], found[1], to, self._level)

    def weak_before(self, model: str) -> str | None:
        """Name the nearest model before one in the chain that was evaluated as a weak model."""
        models = self._params.models
        before = models[: models.index(model)] if model in models else ()
        return next((weak for weak in reversed(before) if survey_name("weak", "", None, weak) in self.groups), None)

    def _estimate_capability(self, name: str) -> dict[str, Estimate]:
        keys = dict.fromkeys(p.evaluations[name] for p in self._params.points if name in p.evaluations)
        # The stream depends on the capability's name, so that its intervals are the same whatever else is surveyed.
        bootstrap = Bootstrap(self._params.resamples, self._level, derive_seed(self._params.seed, name))
        return estimate_all({key: self._evidence.scored[key].correct for key in keys}, bootstrap) if keys else {}

    def _count_questions(self, name: str) -> int:
        return next((self._evidence.scored[key].correct.size for key in self._estimates[name]), 0)

    def _group(self) -> dict[str, SurveyGroup]:
        grouped: dict[str, list[SurveyPoint]] = {}
        for point in sorted(self._params.points, key=self._place):
            name = survey_name(point.role, point.variant, point.weak, point.model)
            group = grouped.setdefault(name, [])
            if group and group[-1].seed == point.seed:
                raise InputError(
                    f"points {group[-1].id} and {point.id} are both {name} under seed {point.seed}; expected one point "
                    "for each setting and seed"
                )
            group.append(point)
        return {name: SurveyGroup(name, tuple(points)) for name, points in grouped.items()}

    def _place(self, point: SurveyPoint) -> tuple[object, ...]:
        variant = (int(point.variant), "") if point.variant.isdecimal() else (-1, point.variant)
        pair = pair_order(self._params.models)((point.weak or "", point.model))
        return get_args(SurveyRole).index(point.role), pair, variant, point.seed

    def _setting(self, group: SurveyGroup, learnt: Mapping[str, Learnt]) -> SurveySetting:
        first, known = group.first, [learnt[p.id] for p in group.points if p.id in learnt]
        scope = group.evaluated(self.capabilities)
        examples = sum(each.examples for each in known)
        return SurveySetting(
            name=group.name,
            role=first.role,
            variant=first.variant,
            model=first.model,
            weak=first.weak,
            seeds=group.seeds,
            average=self._score(group, scope),
            capabilities={name: self._score(group, (name,)) for name in scope},
            examples=round(examples / len(known), _DIGITS) if known else None,
            label_correctness=round(sum(each.right for each in known) / examples, _DIGITS) if examples else None,
        )

    def _score(self, group: SurveyGroup, scope: Scope) -> SurveyScore:
        wts = survey_name("wts", "", group.first.weak, group.first.model)
        compared = group.first.weak is not None and wts != group.name
        return SurveyScore(
            accuracy=self._accuracy(group, scope),
            spread=self._spread(group, scope),
            pgr=self._pgr(group, scope),
            difference=self.difference(group.name, wts, scope) if compared else None,
            partial_credit=self._partial_credit(group, scope),
        )

    def _estimate(self, group: SurveyGroup, scope: Scope, seeds: Sequence[int]) -> Estimate:
        """Take the mean over seeds, then over capabilities."""
        points = [point for point in group.points if point.seed in seeds]
        weights = [self._weights[point.seed] for point in points]
        means = [mean_of([self._estimates[name][p.evaluations[name]] for p in points], weights) for name in scope]
        return mean_of(means, [np.ones_like(mean.resampled) for mean in means])

    def _together(self, groups: Sequence[SurveyGroup], scope: Scope) -> list[Estimate] | None:
        """Estimate settings on the capabilities and seeds that all of them have; None where there is none."""
        for group in groups:
            scope = group.evaluated(scope)
        seeds = set(groups[0].seeds).intersection(*(group.seeds for group in groups))
        return [self._estimate(group, scope, sorted(seeds)) for group in groups] if scope and seeds else None

    def _accuracy(self, group: SurveyGroup, scope: Scope) -> Accuracy:
        estimate = self._estimate(group, scope, group.seeds)
        counts = [self.questions[name] for name in scope]
        right = sum(self._estimate(group, (name,), group.seeds).value * self.questions[name] for name in scope)
        # A mean of shares varies as the share of this many questions would.
        effective = max(1, int(len(counts) ** 2 / sum(1 / count for count in counts)))
        return Accuracy(
            value=round(estimate.value, _DIGITS),
            interval=bounds(resampled_interval(estimate.value, estimate.resampled, effective, self._level)),
            n=sum(counts),
            correct=round(right, 3),
        )

    def _spread(self, group: SurveyGroup, scope: Scope) -> Spread | None:
        # Seeds may share their evaluations: one evaluation has no spread.
        apart = {tuple(point.evaluations[name] for name in scope): point.seed for point in group.points}
        return spread_of([self._estimate(group, scope, (seed,)).value for seed in apart.values()])

    def _pgr(self, group: SurveyGroup, scope: Scope) -> PgrResult:
        first = group.first
        if first.role == "weak":
            return PgrResult(value=None, reason="no other model taught it")
        weak = first.weak or self.weak_before(first.model)
        if weak is None:
            return PgrResult(value=None, reason=f"the experiment has no weak model before {first.model} in the chain")
        names = (survey_name("weak", "", None, weak), survey_name("ceiling", "", None, first.model))
        if missing := [name for name in names if name not in self.groups]:
            return PgrResult(value=None, reason=f"the experiment has no baseline {' and '.join(missing)}")
        found = self._together((group, *(self.groups[name] for name in names)), scope)
        if found is None:
            return PgrResult(value=None, reason=f"it shares no seed or capability with {' and '.join(names)}")
        return recovered(found[0], found[1], found[2], self._level)

    def _partial_credit(self, group: SurveyGroup, scope: Scope) -> float | None:
        """Take the mean over seeds; an average over capabilities would mix it with accuracies."""
        if len(scope) > 1:
            return None
        keys = [point.evaluations[name] for point in group.points for name in scope]
        known = [self._evidence.partial_credit[key] for key in keys if key in self._evidence.partial_credit]
        return round(sum(known) / len(known), _DIGITS) if known else None
