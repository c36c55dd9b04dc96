"""Points and settings of the report: accuracy, PGR and differences, seeds apart and together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from w2s_jobs.contracts.estimates import Accuracy, Difference, PgrResult
from w2s_jobs.contracts.report import ReportPoint
from w2s_jobs.contracts.results import Choice, Gap, PointResult, SettingResult, TrainingSet
from w2s_jobs.contracts.settings import Threshold
from w2s_jobs.core.analysis.resampling import (
    Bootstrap,
    Estimate,
    bounds,
    compare,
    mean_of,
    recovered,
    seed_weights,
    simultaneous,
    spread_of,
)
from w2s_jobs.core.metrics import resampled_interval

__all__ = ["PointComparison", "setting_name", "threshold_order"]

_ORDER = ("weak", "conventional", "round", "unfiltered", "ceiling", "direct-weak", "direct", "direct-ceiling")
_BASELINES = ("weak", "ceiling")


def threshold_order(thresholds: Sequence[Threshold]) -> tuple[tuple[bool, Threshold], ...]:
    """Order branches: by percent, and rules after them."""
    return tuple((isinstance(threshold, str), threshold) for threshold in thresholds)


def setting_name(role: str, thresholds: Sequence[Threshold]) -> str:
    """Name what points that differ by their seed only have in common, such as `round2/t60-70`."""
    name = f"round{len(thresholds)}" if role == "round" else role
    return f"{name}/t{'-'.join(map(str, thresholds))}" if thresholds else name


@dataclass(frozen=True)
class _Setting:
    name: str
    points: tuple[ReportPoint, ...]
    estimate: Estimate

    @property
    def first(self) -> ReportPoint:
        return self.points[0]


class PointComparison:
    """All points of a report on one set of test questions."""

    def __init__(
        self,
        points: Sequence[ReportPoint],
        estimates: Mapping[str, Estimate],
        questions: int,
        bootstrap: Bootstrap,
    ) -> None:
        """`estimates` are by evaluate key: points that share an evaluation share its estimate."""
        self._points = points
        self._by_evaluate = estimates
        self._questions = questions
        self.confidence_level = bootstrap.confidence_level
        self._weights = seed_weights((point.seed for point in points), bootstrap)
        self._settings = self._group()

    def results(self, training: Mapping[str, TrainingSet]) -> tuple[PointResult, ...]:
        """Describe every point; `training` is by the point's id."""
        return tuple(self._point(point, training.get(point.id)) for point in self._points)

    def settings(self, training: Mapping[str, TrainingSet]) -> tuple[SettingResult, ...]:
        """Describe every setting, weak first, then the method, then the ceiling."""
        return tuple(self._setting(setting, training) for setting in self._settings.values())

    def gap(self) -> Gap:
        """Describe what there is to recover, and whether that is certain."""
        weak, ceiling = self.estimate("weak"), self.estimate("ceiling")
        if weak is None or ceiling is None:
            missing = " and ".join(name for name, e in (("weak", weak), ("ceiling", ceiling)) if e is None)
            return Gap(
                weak=None if weak is None else round(weak.value, 6),
                ceiling=None if ceiling is None else round(ceiling.value, 6),
                value=None,
                interval=None,
                certain=False,
                reason=f"the experiment has no baseline {missing}",
            )
        difference = compare(ceiling, weak, "weak", self.confidence_level)
        return Gap(
            weak=round(weak.value, 6),
            ceiling=round(ceiling.value, 6),
            value=difference.value,
            interval=difference.interval,
            certain=difference.better,
            reason=_gap_reason(difference.value, difference.better, difference.worse),
        )

    def best(self) -> tuple[Choice, ...]:
        """Choose the most accurate setting of each round and of all; ties go to the one that comes first."""
        rounds = [s for s in self._settings.values() if s.first.role == "round"]
        conventional = self.estimate("conventional")
        differences: dict[str, Difference] = {}
        if conventional is not None and rounds:
            found = simultaneous([s.estimate for s in rounds], conventional, "conventional", self.confidence_level)
            differences = dict(zip((s.name for s in rounds), found, strict=True))
        choices = []
        for number in (*sorted({len(s.first.thresholds) for s in rounds}), None):
            among = [s for s in rounds if number is None or len(s.first.thresholds) == number]
            if among:
                best = max(among, key=lambda s: s.estimate.value)
                choices.append(
                    Choice(round=number, name=best.name, among=len(among), difference=differences.get(best.name))
                )
        return tuple(choices)

    def _group(self) -> dict[str, _Setting]:
        grouped: dict[str, list[ReportPoint]] = {}
        for point in sorted(self._points, key=_place):
            grouped.setdefault(setting_name(point.role, point.thresholds), []).append(point)
        return {name: _Setting(name, tuple(points), self.mean_estimate(points)) for name, points in grouped.items()}

    def mean_estimate(self, points: Sequence[ReportPoint]) -> Estimate:
        """Take the mean over points that differ by their seed."""
        return mean_of([self._by_evaluate[p.evaluate] for p in points], [self._weights[p.seed] for p in points])

    def estimate(self, setting: str) -> Estimate | None:
        """Return the estimate of a setting by its name."""
        found = self._settings.get(setting)
        return None if found is None else found.estimate

    def _of_seed(self, role: str, seed: int) -> tuple[Estimate, str] | None:
        for point in self._points:
            if point.role == role and point.seed == seed:
                return self._by_evaluate[point.evaluate], point.id
        return None

    def accuracy(self, estimate: Estimate) -> Accuracy:
        """Write an estimate with its interval."""
        return Accuracy(
            value=round(estimate.value, 6),
            interval=bounds(
                resampled_interval(estimate.value, estimate.resampled, self._questions, self.confidence_level)
            ),
            n=self._questions,
            correct=round(estimate.value * self._questions, 3),
        )

    def _point(self, point: ReportPoint, training: TrainingSet | None) -> PointResult:
        estimate = self._by_evaluate[point.evaluate]
        weak, ceiling = (self._of_seed(role, point.seed) for role in _baselines(point.role))
        conventional = self._of_seed("conventional", point.seed)
        return PointResult(
            id=point.id,
            role=point.role,
            thresholds=point.thresholds,
            seed=point.seed,
            accuracy=self.accuracy(estimate),
            pgr=self._pgr(estimate, weak and weak[0], ceiling and ceiling[0], point.role),
            difference=None
            if conventional is None or conventional[1] == point.id
            else compare(estimate, *conventional, self.confidence_level),
            training=training,
        )

    def _setting(self, setting: _Setting, training: Mapping[str, TrainingSet]) -> SettingResult:
        estimate, points = setting.estimate, setting.points
        weak, ceiling = (self.estimate(name) for name in _baselines(setting.first.role))
        sets = [training[p.id] for p in points if p.id in training]
        return SettingResult(
            name=setting.name,
            role=setting.first.role,
            thresholds=setting.first.thresholds,
            seeds=tuple(p.seed for p in points),
            accuracy=self.accuracy(estimate),
            # Seeds may share a model (the weak one): one evaluation has no spread.
            spread=spread_of([self._by_evaluate[key].value for key in dict.fromkeys(p.evaluate for p in points)]),
            pgr=self._pgr(estimate, weak, ceiling, setting.first.role),
            difference=self._against(setting, "conventional"),
            gain=self._against(setting, self._parent(setting.first)),
            training=_mean_training(sets),
        )

    def _pgr(self, estimate: Estimate, weak: Estimate | None, ceiling: Estimate | None, role: str) -> PgrResult:
        """Compute PGR between the baselines of the same form: bare answers have their own (table 3)."""
        named = zip(_baselines(role), (weak, ceiling), strict=True)
        if missing := [name for name, found in named if found is None]:
            return PgrResult(value=None, reason=f"the experiment has no baseline {' and '.join(missing)}")
        return recovered(estimate, weak, ceiling, self.confidence_level)

    def _against(self, setting: _Setting, other: str | None) -> Difference | None:
        reference = None if other is None or other == setting.name else self.estimate(other)
        if reference is None or other is None:
            return None
        return compare(setting.estimate, reference, other, self.confidence_level)

    def _parent(self, point: ReportPoint) -> str | None:
        if point.role == "round" and len(point.thresholds) > 1:
            return setting_name("round", point.thresholds[:-1])
        return setting_name("round", point.thresholds[:1]) if point.role == "unfiltered" and point.thresholds else None


def _baselines(role: str) -> tuple[str, str]:
    weak, ceiling = _BASELINES
    return (f"direct-{weak}", f"direct-{ceiling}") if role.startswith("direct") else (weak, ceiling)


def _place(point: ReportPoint) -> tuple[object, ...]:
    return (_ORDER.index(point.role), len(point.thresholds), threshold_order(point.thresholds))


def _gap_reason(value: float, certain: bool, reversed_: bool) -> str | None:
    if value == 0:
        return "ceiling and weak have the same accuracy: there is no gap to recover"
    if reversed_:
        return "the ceiling is less accurate than the weak model, so recovering the gap would mean getting worse"
    if not certain:
        return "the gap itself is not distinguishable from zero on these test questions, so PGR divides by noise"
    return None


def _mean_training(sets: Sequence[TrainingSet]) -> TrainingSet | None:
    """Take the mean over seeds; rounds are listed for a single seed only, where they are whole numbers."""
    if not sets or len(sets) == 1:
        return sets[0] if sets else None

    def mean(values: Sequence[float | None]) -> float | None:
        known = [v for v in values if v is not None]
        return round(float(np.mean(known)), 6) if known else None

    return TrainingSet(
        size=mean([s.size for s in sets]) or 0,
        coverage=mean([s.coverage for s in sets]),
        label_correctness=mean([s.label_correctness for s in sets]),
    )
