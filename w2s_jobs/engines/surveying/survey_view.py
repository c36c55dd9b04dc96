"""A survey's results, found by role, pair of models and capability, as the figures ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from w2s_jobs.contracts.estimates import Bounds
from w2s_jobs.contracts.survey_results import SurveyResults, SurveyScore, SurveySetting

__all__ = ["Pair", "Quantity", "SurveyView", "interval_of", "score_of", "value_of"]

Pair = tuple[str, str]
"""Weak model, strong model."""
Quantity = str
"""`accuracy` or `pgr`."""


@dataclass(frozen=True)
class SurveyView:
    """Finds settings."""

    results: SurveyResults

    @cached_property
    def order(self) -> dict[str, int]:
        """Place of each model in the chain."""
        return {model: i for i, model in enumerate(self.results.models)}

    @property
    def columns(self) -> tuple[str | None, ...]:
        """The average (none), then each capability."""
        return (None, *self.results.capabilities)

    def find(self, *roles: str, variant: str | None = None) -> list[SurveySetting]:
        """List settings of these roles (and of one variant), in the order of the chain."""
        found = [s for s in self.results.settings if s.role in roles and variant in (None, s.variant)]
        return sorted(found, key=lambda s: (self.order[s.model], -1 if s.weak is None else self.order[s.weak]))

    def one(self, role: str, model: str, weak: str | None = None, variant: str | None = None) -> SurveySetting | None:
        """Return the setting of a model, or nothing."""
        return next((s for s in self.find(role, variant=variant) if (s.weak, s.model) == (weak, model)), None)

    def pairs(self, settings: Sequence[SurveySetting]) -> list[Pair]:
        """List the pairs of models that these settings are about."""
        found = {(s.weak, s.model) for s in settings if s.weak is not None}
        return sorted(found, key=lambda pair: (self.order[pair[1]], self.order[pair[0]]))

    def of_pair(self, pair: Pair, *ways: tuple[str, str | None]) -> list[SurveySetting]:
        """List a pair's settings by role and variant; `weak`, `ceiling` and `in-context` are those of its models."""
        weak, model = pair
        own = {"weak": (None, weak), "ceiling": (None, model), "in-context": (None, model)}
        found = []
        for role, variant in ways:
            teacher, student = own.get(role, (weak, model))
            setting = self.one(role, student, teacher, variant)
            found += [setting] if setting is not None else []
        return found


def score_of(setting: SurveySetting, capability: str | None) -> SurveyScore | None:
    """Return the score on a capability, or averaged; none where the setting was not evaluated on it."""
    return setting.average if capability is None else setting.capabilities.get(capability)


def value_of(score: SurveyScore | None, quantity: Quantity) -> float | None:
    """Return the number of a score."""
    if score is None:
        return None
    return score.accuracy.value if quantity == "accuracy" else score.pgr.value


def interval_of(score: SurveyScore, quantity: Quantity) -> Bounds | None:
    """Return its interval."""
    return score.accuracy.interval if quantity == "accuracy" else score.pgr.interval
