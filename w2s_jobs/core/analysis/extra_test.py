"""A small test set against a large one: the same models on test alone, and on test and extraTest together (table 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from w2s_jobs.contracts.report import ReportPoint
from w2s_jobs.contracts.results import ExtraTestResult
from w2s_jobs.core.analysis.evidence import Evidence
from w2s_jobs.core.analysis.points import PointComparison
from w2s_jobs.core.analysis.resampling import Bootstrap, Estimate, compare, estimate_all

__all__ = ["compare_extra_test"]


def compare_extra_test(
    points: Sequence[ReportPoint], evidence: Evidence, alone: Mapping[str, Estimate], bootstrap: Bootstrap
) -> ExtraTestResult | None:
    """Describe the points that were evaluated on both splits; None where there are none.

    `alone` are the estimates on the test split by evaluate key. Each split is resampled by itself and the two are put
    together by their sizes, so that both numbers of a model share their draw of the test split.
    """
    both = [point for point in points if point.evaluate_extra in evidence.correct_extra]
    if not both:
        return None
    # Two splits of one size must not share their draws of questions.
    apart = replace(bootstrap, seed=bootstrap.seed + 1_000_003)
    extra = estimate_all(evidence.correct_extra, apart)
    sizes = (
        next(iter(evidence.correct.values())).size,
        next(iter(evidence.correct_extra.values())).size,
    )
    together = {
        point.evaluate: _join(alone[point.evaluate], extra[point.evaluate_extra], sizes)
        for point in both
        if point.evaluate_extra is not None
    }
    small = PointComparison(both, alone, sizes[0], bootstrap)
    large = PointComparison(both, together, sum(sizes), bootstrap)
    settings = large.settings({})
    shifts = []
    for setting in settings:
        one, other = large.estimate(setting.name), small.estimate(setting.name)
        if one is not None and other is not None:
            shifts.append(compare(one, other, setting.name, bootstrap.confidence_level))
    return ExtraTestResult(
        questions=sizes[0],
        questions_together=sum(sizes),
        points=large.results({}),
        settings=settings,
        shifts=tuple(shifts),
    )


def _join(test: Estimate, extra: Estimate, sizes: tuple[int, int]) -> Estimate:
    share = sizes[0] / sum(sizes)
    return Estimate(
        float(share * test.value + (1 - share) * extra.value),
        np.asarray(share * test.resampled + (1 - share) * extra.resampled),
    )
