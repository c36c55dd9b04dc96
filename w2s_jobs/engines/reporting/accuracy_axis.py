"""The common axis of the small interval drawings in the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from w2s_jobs.contracts.estimates import Accuracy

__all__ = ["AccuracyAxis", "accuracy_axis"]


@dataclass(frozen=True)
class AccuracyAxis:
    """From a lowest to a highest fraction."""

    low: float
    high: float

    def at(self, value: float) -> str:
        """Return the place of a value in percent of the width."""
        share = (value - self.low) / (self.high - self.low)
        return f"{100 * min(max(share, 0.0), 1.0):.2f}"

    def width(self, low: float, high: float) -> str:
        """Return the width between two values in percent of the whole."""
        return f"{float(self.at(high)) - float(self.at(low)):.2f}"

    def ticks(self) -> list[float]:
        """Return round values inside the axis, at most five."""
        step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25) if (self.high - self.low) / s <= 5)
        first = int(self.low / step) + (self.low > 0)
        return [k * step for k in range(first, int(self.high / step) + 1)]


def accuracy_axis(accuracies: Sequence[Accuracy]) -> AccuracyAxis:
    """Make the axis that holds all of these (at least one) with their intervals."""
    low, high = min(map(_low, accuracies)), max(map(_high, accuracies))
    margin = max(0.01, 0.04 * (high - low))
    return AccuracyAxis(max(0.0, low - margin), min(1.0, high + margin))


def _low(accuracy: Accuracy) -> float:
    return accuracy.value if accuracy.interval is None else accuracy.interval.low


def _high(accuracy: Accuracy) -> float:
    return accuracy.value if accuracy.interval is None else accuracy.interval.high
