"""Paired bootstrap over test questions: one draw of questions serves every model, so differences keep their pairing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Interval", "percentile_interval", "resampled_accuracies"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A two-sided interval of a statistic."""

    low: float
    high: float


def resampled_accuracies(correct: npt.NDArray[np.bool_], resamples: int, seed: int) -> Floats:
    """Resample test questions with replacement, the same questions for every model.

    Parameters
    ----------
    correct
        Shape (models, questions): was the model right on the question.
    resamples
        Number of resamples.
    seed
        Seed of the draw; equal seeds and question counts give equal draws.

    Returns
    -------
    numpy.ndarray
        Shape (models, resamples): accuracy in 0..1 of each model in each resample.
    """
    questions = correct.shape[1]
    # Resampling n questions n times is drawing how often each one occurs; the counts make it one matrix product.
    counts = np.random.default_rng(seed).multinomial(questions, np.full(questions, 1 / questions), size=resamples)
    accuracies: Floats = correct.astype(np.float64) @ counts.T.astype(np.float64) / questions
    return accuracies


def percentile_interval(values: Floats, confidence_level: float) -> Interval | None:
    """Return the percentile interval of resampled values; values that are not finite are left out.

    None when fewer than half of the resamples have a value: an interval over the rest would be a selection.
    """
    finite = values[np.isfinite(values)]
    if finite.size * 2 < values.size or finite.size == 0:
        return None
    tail = (1 - confidence_level) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return Interval(low=float(low), high=float(high))
