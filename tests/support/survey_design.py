"""What differs from one made-up survey to another."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

__all__ = ["EIGHT", "QUESTIONS", "MadeSurvey"]

EIGHT = {
    "gsm8k": "gsm8k",
    "mctaco": "mctaco",
    "scan": "scan",
    "creak": "creak",
    "ecqa": "ecqa",
    "esnli": "esnli",
    "openbookqa": "openbookqa",
    "sciq": "sciq",
}
QUESTIONS = 400
"""of each capability's test set"""


@dataclass(frozen=True)
class MadeSurvey:
    """What differs from one survey to another."""

    models: tuple[str, ...] = ("0.5b", "1.8b", "4b")
    capabilities: tuple[tuple[str, str], ...] = tuple(EIGHT.items())
    """capabilities by name, with their families"""
    seeds: tuple[int, ...] = (0, 1, 2)
    roles: tuple[str, ...] = (
        "in-context",
        "wts-single",
        "wts-2",
        "mixed",
        "clean",
        "weakened",
        "removed",
        "no-warm-up",
    )
    """roles beside weak, wts, selected and ceiling"""
    rules: tuple[str, ...] = ("reward", "confidence", "both", "random")
    every_pair: bool = True
    labels: bool = True
    ceiling: bool = True

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Weak and strong, each size teaching the next, or every larger one."""
        neighbours = list(zip(self.models, self.models[1:], strict=False))
        return list(combinations(self.models, 2)) if self.every_pair else neighbours

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the capabilities."""
        return tuple(name for name, _ in self.capabilities)
