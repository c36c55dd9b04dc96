"""A reward model judged by gold that it never saw: whether a higher reward means that the label is right."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from w2s_jobs.contracts.survey_results import CalibrationBin, RewardQuality, RocPoint
from w2s_jobs.core.bootstrap import Floats

__all__ = ["area_under_curve", "calibration_bins", "judge_rewards", "roc_points"]

_DIGITS = 6
_BINS = 10
_CURVE = 46
"""Cutoffs of a ROC curve beside its ends and the report's own cutoff."""
_BELOW_ALL = -1e-6
"""A cutoff below every reward, for the end of a curve whose lowest reward is 0."""

Booleans = npt.NDArray[np.bool_]


def judge_rewards(
    rewards: Floats, right: Booleans, cutoff: float, pair: tuple[str, str], capability: str | None
) -> RewardQuality:
    """Describe how well rewards tell right labels from wrong ones.

    Parameters
    ----------
    rewards
        Shape (labels,), at least one, each in 0..1.
    right
        Shape (labels,): by gold.
    cutoff
        A reward above it calls the label right.
    pair
        Weak and strong model.
    capability
        Whose labels they are; None for all together.
    """
    area = area_under_curve(rewards, right)
    return RewardQuality(
        weak=pair[0],
        model=pair[1],
        capability=capability,
        labels=rewards.size,
        accuracy=round(float(((rewards > cutoff) == right).mean()), _DIGITS),
        auc=None if area is None else round(area, _DIGITS),
        calibration=tuple(calibration_bins(rewards, right)),
        roc=tuple(roc_points(rewards, right, cutoff)),
    )


def area_under_curve(rewards: Floats, right: Booleans) -> float | None:
    """Return the chance that a right label has a higher reward than a wrong one, ties counting half.

    This is the area under the ROC curve (Mann and Whitney's U over the number of pairs); None where there is no pair.
    """
    positives = int(right.sum())
    pairs = positives * (right.size - positives)
    if not pairs:
        return None
    _, places, counts = np.unique(rewards, return_inverse=True, return_counts=True)
    # Equal rewards share the mean of their ranks.
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[places][right].sum() - positives * (positives + 1) / 2) / pairs)


def calibration_bins(rewards: Floats, right: Booleans) -> Iterator[CalibrationBin]:
    """Divide the labels by tenths of reward; a tenth without a label is left out. A reward of 1 is of the last."""
    places = np.minimum((rewards * _BINS).astype(int), _BINS - 1)
    for place in range(_BINS):
        inside = places == place
        if inside.any():
            yield CalibrationBin(
                low=place / _BINS,
                high=(place + 1) / _BINS,
                labels=int(inside.sum()),
                mean_reward=round(float(rewards[inside].mean()), _DIGITS),
                right=round(float(right[inside].mean()), _DIGITS),
            )


def roc_points(rewards: Floats, right: Booleans, cutoff: float) -> Iterator[RocPoint]:
    """Yield at most 50 points of the ROC curve, from a cutoff that keeps nothing to one that keeps all.

    Cutoffs are quantiles of the rewards, and `cutoff` itself. Nothing where all labels are right, or none is.
    """
    positives, negatives = int(right.sum()), int((~right).sum())
    if not positives or not negatives:
        return
    quantiles = np.quantile(rewards, np.linspace(0, 1, _CURVE), method="inverted_cdf")
    lowest = 0.0 if rewards.min() > 0 else _BELOW_ALL
    for at in sorted({1.0, cutoff, lowest, *map(float, quantiles)}, reverse=True):
        kept = rewards > at
        yield RocPoint(
            cutoff=round(at, _DIGITS),
            true_positive_rate=round(float(right[kept].sum()) / positives, _DIGITS),
            false_positive_rate=round(float((~right[kept]).sum()) / negatives, _DIGITS),
        )
