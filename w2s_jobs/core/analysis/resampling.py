"""Accuracies with their paired resamples: means over seeds, differences and PGR keep the pairing of test questions.

Where several seeds are taken together, each resample also draws seeds with replacement, the same ones for every
setting: the interval then covers other questions and other trainings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from w2s_jobs.contracts.estimates import Bounds, Difference, PgrResult, Spread
from w2s_jobs.core.bootstrap import Floats, Interval, percentile_interval, resampled_accuracies
from w2s_jobs.core.metrics import pgr, pgr_interval

__all__ = [
    "Bootstrap",
    "Estimate",
    "bounds",
    "compare",
    "estimate_all",
    "mean_of",
    "recovered",
    "seed_weights",
    "simultaneous",
    "spread_of",
]

_DIGITS = 6
"""Digits after the point: finer than any interval, coarse enough to read."""
_EXACT = 12
"""Digits after which two means differ by rounding alone; shares of questions differ before the tenth."""


@dataclass(frozen=True)
class Bootstrap:
    """Settings of the paired bootstrap over test questions."""

    resamples: int
    confidence_level: float
    seed: int


@dataclass(frozen=True, eq=False)
class Estimate:
    """An accuracy, and what it was in each resample of the test questions."""

    value: float
    resampled: Floats
    """shape (resamples,); the n-th resample holds the same questions for every estimate"""


def estimate_all(correct: Mapping[str, npt.NDArray[np.bool_]], bootstrap: Bootstrap) -> dict[str, Estimate]:
    """Estimate every model's accuracy from the same resamples.

    Parameters
    ----------
    correct
        By model: shape (questions,), was it right on the question; questions in one order for all.
    bootstrap
        Resamples and seed.
    """
    matrix = np.stack(list(correct.values()))
    resampled = resampled_accuracies(matrix, bootstrap.resamples, bootstrap.seed)
    values = matrix.mean(axis=1)
    return {name: Estimate(float(values[i]), resampled[i]) for i, name in enumerate(correct)}


def seed_weights(seeds: Iterable[int], bootstrap: Bootstrap) -> dict[int, Floats]:
    """Draw for each resample how often each seed occurs in it: by seed, shape (resamples,).

    One draw serves every setting, because seeds are paired as well: a seed's trainings share its weak labels.
    """
    ordered = sorted(set(seeds))
    # A stream of its own, so that the draw of questions is the same with one seed and with many.
    random = np.random.default_rng([bootstrap.seed, 1])
    counts = random.multinomial(len(ordered), np.full(len(ordered), 1 / len(ordered)), size=bootstrap.resamples)
    return {seed: counts[:, i].astype(np.float64) for i, seed in enumerate(ordered)}


def mean_of(estimates: Sequence[Estimate], weights: Sequence[Floats]) -> Estimate:
    """Take the mean over seeds.

    Parameters
    ----------
    estimates
        One a seed; each resample's questions stay the same for all of them.
    weights
        For each of the estimates, shape (resamples,): how often its seed occurs in each resample. A resample in which
        none of these seeds occurs weighs them alike.
    """
    drawn = np.stack(weights)
    drawn = np.where(drawn.sum(axis=0) > 0, drawn, 1.0)
    resampled = (np.stack([e.resampled for e in estimates]) * drawn).sum(axis=0) / drawn.sum(axis=0)
    value = np.mean([e.value for e in estimates])
    # Means of other numbers that are equal must be equal to the last bit: PGR divides by the difference of two.
    return Estimate(float(np.round(value, _EXACT)), np.round(resampled, _EXACT))


def bounds(interval: Interval | None) -> Bounds | None:
    """Round an interval for results.json."""
    if interval is None:
        return None
    return Bounds(low=round(interval.low, _DIGITS), high=round(interval.high, _DIGITS))


def recovered(
    transfer: Estimate, weak: Estimate | None, ceiling: Estimate | None, confidence_level: float
) -> PgrResult:
    """Compute PGR with its interval; undefined resamples are counted and left out."""
    point = pgr(transfer.value, None if weak is None else weak.value, None if ceiling is None else ceiling.value)
    if point.value is None or weak is None or ceiling is None:
        return PgrResult(value=None, reason=point.reason)
    return PgrResult(
        value=round(point.value, _DIGITS) + 0.0,  # never -0.0, which a negative gap makes of the weak model's zero
        interval=bounds(pgr_interval(transfer.resampled, weak.resampled, ceiling.resampled, confidence_level)),
        undefined_resamples=int(np.count_nonzero(ceiling.resampled == weak.resampled)),
    )


def compare(one: Estimate, other: Estimate, to: str, confidence_level: float) -> Difference:
    """Compute the paired difference; it is called one only where its interval excludes zero."""
    interval = percentile_interval(one.resampled - other.resampled, confidence_level)
    return _difference(one.value - other.value, interval, to)


def simultaneous(candidates: Sequence[Estimate], other: Estimate, to: str, confidence_level: float) -> list[Difference]:
    """Compute differences whose intervals hold for all candidates at once (bootstrap of the largest |t|).

    The best of many is best partly by luck; these intervals allow for that, so they may be read after choosing.
    """
    if len(candidates) == 1:
        return [compare(candidates[0], other, to, confidence_level)]
    values = np.array([c.value - other.value for c in candidates])
    draws = np.stack([c.resampled - other.resampled for c in candidates]) - values[:, None]
    errors = draws.std(axis=1)
    moving = errors > 0
    if not moving.any():
        return [_difference(float(v), Interval(float(v), float(v)), to) for v in values]
    largest = np.max(np.abs(draws[moving]) / errors[moving, None], axis=0)
    width = float(np.quantile(largest, confidence_level)) * errors
    return [_difference(float(v), Interval(float(v - w), float(v + w)), to) for v, w in zip(values, width, strict=True)]


def spread_of(values: Sequence[float]) -> Spread | None:
    """Say how far seeds lie apart; None for a single one."""
    if len(values) < 2:
        return None
    sd = float(np.std(values, ddof=1))
    return Spread(sd=round(sd, _DIGITS), min=round(min(values), _DIGITS), max=round(max(values), _DIGITS))


def _difference(value: float, interval: Interval | None, to: str) -> Difference:
    rounded = bounds(interval)
    return Difference(
        to=to,
        value=round(value, _DIGITS),
        interval=rounded,
        better=rounded is not None and rounded.low > 0,
        worse=rounded is not None and rounded.high < 0,
    )
