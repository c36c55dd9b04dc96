"""Estimates with their intervals, as `results.json` writes them. Fractions (0.61, not 61); every interval two-sided."""

from __future__ import annotations

from w2s_jobs.contracts.model import Contract

__all__ = [
    "Accuracy",
    "Bounds",
    "Difference",
    "PgrResult",
    "Spread",
]


class Bounds(Contract):
    """A two-sided interval."""

    low: float
    high: float


class Accuracy(Contract):
    """Share of test questions that were answered correctly."""

    value: float
    interval: Bounds | None
    n: int
    """n test questions"""
    correct: float
    """correct answers; a mean where several seeds are taken together"""


class PgrResult(Contract):
    """Performance gap recovered: (accuracy - weak) / (ceiling - weak)."""

    value: float | None
    reason: str | None = None
    """reason why there is no value"""
    interval: Bounds | None = None
    undefined_resamples: int = 0
    """undefinedResamples had ceiling equal to weak and are left out of the interval"""


class Difference(Contract):
    """Accuracy minus that of another setting on the same test questions (paired)."""

    to: str
    """to: name of the other one"""
    value: float
    interval: Bounds | None
    better: bool
    """better: the interval lies above zero"""
    worse: bool
    """worse: the interval lies below zero"""


class Spread(Contract):
    """How far seeds lie apart."""

    sd: float
    """sd with n-1 in the denominator"""
    min: float
    max: float
