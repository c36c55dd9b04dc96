"""Points with made-up answers, compared: for tests whose numbers can be checked by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from w2s_jobs.contracts.report import ReportPoint
from w2s_jobs.contracts.settings import Threshold
from w2s_jobs.core.analysis.points import PointComparison
from w2s_jobs.core.analysis.resampling import Bootstrap, estimate_all

BOOTSTRAP = Bootstrap(resamples=400, confidence_level=0.95, seed=3)


def key(name: str) -> str:
    """Make a name into something that looks like a step's key."""
    return name.encode().hex().ljust(64, "0")[:64]


def a_point(role: str, *thresholds: Threshold, seed: int = 0, **more: object) -> ReportPoint:
    """Build a point whose keys follow from its name."""
    branch = "-".join(map(str, thresholds))
    name = f"{role}{branch}/{seed}"
    return ReportPoint(id=name, role=role, thresholds=thresholds, seed=seed, evaluate=key(name), **more)  # type: ignore[arg-type]


def right(number: int, of: int = 100) -> np.ndarray:
    """Answer the first `number` of `of` questions right, the others wrong."""
    return np.arange(of) < number


def compare_points(given: Mapping[ReportPoint, np.ndarray]) -> PointComparison:
    """Compare points by their answers on the same questions."""
    estimates = estimate_all({point.evaluate: answers for point, answers in given.items()}, BOOTSTRAP)
    return PointComparison(tuple(given), estimates, next(iter(given.values())).size, BOOTSTRAP)
