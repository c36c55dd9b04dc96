"""What the filter of round 2, further rounds and the chain of thought are worth (paper `confidence`, tables 1 to 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from w2s_jobs.contracts.analyses import FilterEffect, FormComparison
from w2s_jobs.contracts.estimates import Difference
from w2s_jobs.contracts.results import Choice, SettingResult
from w2s_jobs.core.analysis.points import PointComparison
from w2s_jobs.core.analysis.resampling import Estimate, compare, simultaneous

__all__ = ["filter_effects", "form_comparisons", "iterations"]

_FORMS = (("weak", "direct-weak"), ("ceiling", "direct-ceiling"), ("conventional", "direct"))


def filter_effects(settings: Sequence[SettingResult], comparison: PointComparison) -> tuple[FilterEffect, ...]:
    """Compare round 2 with its filter and without, for every threshold of round 1 that has both (table 1)."""
    return tuple(
        effect
        for setting in settings
        if setting.role == "unfiltered" and (effect := _filter_effect(setting, settings, comparison)) is not None
    )


def iterations(settings: Sequence[SettingResult], best: Sequence[Choice]) -> tuple[str, ...]:
    """Name the way to the best setting of the last round, with its siblings (table 2); empty for one round."""
    last = max((choice for choice in best if choice.round is not None), key=lambda c: c.round or 0, default=None)
    if last is None or last.round is None or last.round < 2:
        return ()
    rounds = {setting.thresholds: setting.name for setting in settings if setting.role == "round"}
    way = next(thresholds for thresholds, name in rounds.items() if name == last.name)
    before = [rounds[way[:number]] for number in range(1, len(way)) if way[:number] in rounds]
    siblings = [name for thresholds, name in rounds.items() if thresholds[:-1] == way[:-1]]
    baseline = [setting.name for setting in settings if setting.role == "conventional"]
    return (*baseline, *before, *siblings)


def form_comparisons(settings: Sequence[SettingResult], comparison: PointComparison) -> tuple[FormComparison, ...]:
    """Compare answers with reasoning and bare ones: weak model, ceiling, conventional training (table 3)."""
    return tuple(_forms({setting.name for setting in settings}, comparison))


def _forms(names: set[str], comparison: PointComparison) -> Iterator[FormComparison]:
    for reasoned, direct in _FORMS:
        if {reasoned, direct} <= names:
            difference = compare(
                _known(comparison, direct), _known(comparison, reasoned), reasoned, comparison.confidence_level
            )
            yield FormComparison(role=reasoned, chain_of_thought=reasoned, direct=direct, difference=difference)


def _filter_effect(
    unfiltered: SettingResult, settings: Sequence[SettingResult], comparison: PointComparison
) -> FilterEffect | None:
    first = unfiltered.thresholds[:1]
    origin = next((s.name for s in settings if s.role == "round" and s.thresholds == first), None)
    if origin is None:
        return None
    filtered = [s.name for s in settings if s.role == "round" and len(s.thresholds) == 2 and s.thresholds[:1] == first]
    values = [_known(comparison, name).value for name in filtered]
    best = max(range(len(filtered)), key=values.__getitem__, default=None)
    return FilterEffect(
        threshold=first[0],
        origin=origin,
        filtered=None if best is None else filtered[best],
        among=len(filtered),
        filtered_gain=_of_best(filtered, best, origin, comparison),
        unfiltered=unfiltered.name,
        unfiltered_gain=compare(
            _known(comparison, unfiltered.name), _known(comparison, origin), origin, comparison.confidence_level
        ),
        filter_gain=_of_best(filtered, best, unfiltered.name, comparison),
    )


def _of_best(names: Sequence[str], best: int | None, to: str, comparison: PointComparison) -> Difference | None:
    """Return the difference of the best one; the interval allows for its choice among all."""
    if best is None:
        return None
    estimates = [_known(comparison, name) for name in names]
    return simultaneous(estimates, _known(comparison, to), to, comparison.confidence_level)[best]


def _known(comparison: PointComparison, name: str) -> Estimate:
    found = comparison.estimate(name)
    if found is None:
        raise KeyError(f"no setting {name!r} in this comparison")
    return found
