"""Accuracy and the performance gap recovered (PGR), each with its interval (methods.md)."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from w2s_jobs.core.bootstrap import Floats, Interval, percentile_interval, resampled_accuracies

__all__ = ["Pgr", "accuracy_interval", "pgr", "pgr_interval", "resampled_interval", "wilson_interval"]


@dataclass(frozen=True)
class Pgr:
    """Performance gap recovered; `value` is None with a reason where it is undefined, never 0 or infinite."""

    value: float | None
    reason: str | None = None


def pgr(transfer: float, weak: float | None, ceiling: float | None) -> Pgr:
    """Compute (transfer - weak) / (ceiling - weak) from accuracies in any one unit."""
    if weak is None or ceiling is None:
        missing = " and ".join(n for n, v in (("weak", weak), ("ceiling", ceiling)) if v is None)
        return Pgr(None, f"the experiment has no baseline {missing}")
    if ceiling == weak:
        return Pgr(None, "ceiling and weak have the same accuracy: there is no gap to recover")
    return Pgr((transfer - weak) / (ceiling - weak))


def pgr_interval(transfer: Floats, weak: Floats, ceiling: Floats, confidence_level: float) -> Interval | None:
    """Return the interval of PGR from accuracies resampled together, each of shape (resamples,).

    A resample in which ceiling equals weak has no PGR and is left out; None when that is most of them.
    """
    gap = ceiling - weak
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(gap != 0, (transfer - weak) / gap, np.nan)
    return percentile_interval(values, confidence_level)


def accuracy_interval(
    correct: npt.NDArray[np.bool_], resamples: int, confidence_level: float, seed: int
) -> Interval | None:
    """Return the interval of one model's accuracy (see `resampled_interval`); `correct` has shape (questions,)."""
    if correct.size == 0:
        return None
    resampled = resampled_accuracies(correct[None, :], resamples, seed)[0]
    return resampled_interval(float(correct.mean()), resampled, correct.size, confidence_level)


def resampled_interval(accuracy: float, resampled: Floats, questions: int, confidence_level: float) -> Interval | None:
    """Return the interval of an accuracy: the bootstrap's, or Wilson's where no resample differs from another.

    With none or all of the questions right, every resample is the same and the bootstrap would call the accuracy
    certain, which no finite number of questions makes it.

    Parameters
    ----------
    accuracy
        Share of right answers in 0..1; a mean where several seeds are taken together.
    resampled
        Shape (resamples,): the accuracy in each resample of the questions.
    questions
        Number of test questions, at least 1.
    confidence_level
        Between 0 and 1.
    """
    if np.ptp(resampled) > 0:
        return percentile_interval(resampled, confidence_level)
    return wilson_interval(accuracy, questions, confidence_level)


def wilson_interval(share: float, n: int, confidence_level: float) -> Interval:
    """Return the score interval of a share of `n` trials (Wilson 1927; Newcombe 1998, method 3)."""
    z = NormalDist().inv_cdf((1 + confidence_level) / 2)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    width = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(low=max(0.0, centre - width), high=min(1.0, centre + width))
