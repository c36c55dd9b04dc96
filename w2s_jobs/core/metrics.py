"""Accuracy and the performance gap recovered (PGR), each with its interval (methods.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from w2s_jobs.core.bootstrap import Floats, Interval, percentile_interval, resampled_accuracies

__all__ = ["Pgr", "accuracy_interval", "pgr", "pgr_interval"]


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
    """Return the bootstrap interval of one model's accuracy; `correct` has shape (questions,)."""
    if correct.size == 0:
        return None
    return percentile_interval(resampled_accuracies(correct[None, :], resamples, seed)[0], confidence_level)
