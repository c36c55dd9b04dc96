"""Accuracy and PGR against the threshold, one panel a round (paper `confidence`, fig. 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.axes import Axes

from w2s_jobs.contracts.analyses import ChosenResult
from w2s_jobs.contracts.estimates import Bounds
from w2s_jobs.contracts.results import PointResult, Results, SettingResult
from w2s_jobs.contracts.settings import Threshold
from w2s_jobs.core.analysis.points import threshold_order
from w2s_jobs.core.analysis.words import percent, setting_label, thresholds_label
from w2s_jobs.engines.reporting.canvas import EndLabel, Panel, draw, halo, label_ends, new_axes, percent_axis
from w2s_jobs.engines.reporting.palette import INK, ROLE, sequence

__all__ = ["chosen_settings", "first_colours", "threshold_panels"]

Quantity = Literal["accuracy", "pgr"]

_WHISKERS_UP_TO = 4
_COLOURS_UP_TO = 8
_SHORT = {"weak": "weak", "conventional": "conventional", "ceiling": "ceiling"}


@dataclass(frozen=True)
class _Mark:
    """One setting in a panel."""

    x: int
    y: float
    interval: Bounds | None
    seeds: tuple[float, ...]
    first_threshold: Threshold


def threshold_panels(results: Results, quantity: Quantity) -> list[Panel]:
    """Draw one panel a round; none where the quantity is undefined everywhere."""
    rounds = sorted({len(s.thresholds) for s in results.settings if _is_swept(s)})
    settings = [s for s in results.settings if _is_swept(s) and _value(s, quantity) is not None]
    if not settings:
        return []
    limits = _limits(results, quantity)
    return [_panel(results, quantity, number, limits) for number in rounds]


def _panel(results: Results, quantity: Quantity, number: int, limits: tuple[float, float]) -> Panel:
    settings = [s for s in results.settings if _is_swept(s) and len(s.thresholds) == number]
    colours = first_colours(results)
    figure, axes = new_axes()
    axes.set_ylim(*limits)
    xs = sorted({t for s in settings if isinstance(t := s.thresholds[-1], int)})
    _thresholds_axis(axes, xs, number)
    percent_axis(axes)
    labels = list(_baselines(axes, results, quantity))
    lines = _lines(results, settings, quantity)
    many = len(lines) > _COLOURS_UP_TO
    best = max((mark.y for _, marks in lines for mark in marks), default=None)
    for index, (prefix, marks) in enumerate(lines):
        colour = colours.get(prefix[0], ROLE["round"]) if prefix else ROLE["round"]
        if many and all(mark.y != best for mark in marks):
            axes.plot([m.x for m in marks], [m.y for m in marks], "-", color=colour, linewidth=0.9, alpha=0.6)
            continue
        dodge = (index - (len(lines) - 1) / 2) * 0.9 if 1 < len(lines) <= _WHISKERS_UP_TO else 0.0
        _draw_line(axes, marks, colour, dodge, len(lines) <= _WHISKERS_UP_TO)
        if not prefix:
            for mark in marks:
                axes.plot(
                    mark.x,
                    mark.y,
                    "o",
                    color=colours.get(mark.first_threshold, ROLE["round"]),
                    markersize=7,
                    zorder=4,
                    **halo(),
                )
        else:
            labels.append(EndLabel(marks[-1].y, thresholds_label(prefix), colour))
    _draw_chosen(axes, results, quantity, number)
    label_ends(axes, labels)
    what = "Accuracy" if quantity == "accuracy" else "PGR"
    title = f"{what} after round {number}"
    return draw(figure, f"{quantity}{number}", title, f"{title}. {_spoken(settings, quantity)}")


def _draw_line(axes: Axes, marks: Sequence[_Mark], colour: str, dodge: float, whiskers: bool) -> None:
    xs, ys = [m.x + dodge for m in marks], [m.y for m in marks]
    for mark, x in zip(marks, xs, strict=True):
        if whiskers and mark.interval is not None:
            axes.plot([x, x], [mark.interval.low, mark.interval.high], color=colour, linewidth=1.2, alpha=0.55)
        if whiskers and len(mark.seeds) > 1:
            beside = x + 0.03 * (axes.get_xlim()[1] - axes.get_xlim()[0])
            axes.plot([beside] * len(mark.seeds), mark.seeds, "_", color=colour, markersize=5, alpha=0.8)
    axes.plot(xs, ys, "-o", color=colour, markersize=5.5, zorder=3, **halo())


def _lines(
    results: Results, settings: Sequence[SettingResult], quantity: Quantity
) -> list[tuple[tuple[Threshold, ...], list[_Mark]]]:
    """Group settings by the thresholds of earlier rounds; each group is a line over the last threshold."""
    lines: dict[tuple[Threshold, ...], list[_Mark]] = {}
    for setting in settings:
        value, last = _value(setting, quantity), setting.thresholds[-1]
        if value is not None and isinstance(last, int):
            mark = _Mark(
                last,
                value,
                _interval(setting, quantity),
                _seed_values(results.points, setting, quantity),
                setting.thresholds[0],
            )
            lines.setdefault(setting.thresholds[:-1], []).append(mark)
    return [
        (prefix, sorted(marks, key=lambda m: m.x))
        for prefix, marks in sorted(lines.items(), key=lambda line: threshold_order(line[0]))
    ]


def first_colours(results: Results) -> dict[Threshold, str]:
    """Give each threshold of round 1 its colour, the same in every figure."""
    first = [t for s in results.settings if s.role == "round" and isinstance(t := s.thresholds[0], int)]
    return dict(sequence(first).items())


def _is_swept(setting: SettingResult) -> bool:
    return setting.role == "round" and isinstance(setting.thresholds[-1], int)


def chosen_settings(
    choices: Sequence[ChosenResult], settings: Sequence[SettingResult], number: int
) -> Iterator[tuple[float, SettingResult]]:
    """Yield where the choices of a round lie, and what was trained there.

    Among swept thresholds each seed's choice is one of them, and their mean is none. A rule's own training is one
    setting for all seeds: it lies at the mean.
    """
    named = {s.thresholds: s for s in settings if s.role == "round"}
    means = {(choice.after, choice.rule) for choice in choices if choice.seed is None}
    for choice in choices:
        if len(choice.after) != number - 1:
            continue
        own = named.get((*choice.after, choice.rule))
        is_mean = choice.seed is None or (choice.after, choice.rule) not in means
        if own is not None and is_mean:
            yield choice.threshold, own
        elif own is None and choice.seed is not None and (*choice.after, int(choice.threshold)) in named:
            yield choice.threshold, named[(*choice.after, int(choice.threshold))]


def _draw_chosen(axes: Axes, results: Results, quantity: Quantity, number: int) -> None:
    """Mark the settings whose threshold a rule chose."""
    for x, setting in chosen_settings(results.choices, results.settings, number):
        y = _value(setting, quantity)
        if y is not None:
            axes.plot(x, y, "*", color=INK, markersize=11, zorder=5, **halo())


def _baselines(axes: Axes, results: Results, quantity: Quantity) -> Iterator[EndLabel]:
    for setting in results.settings:
        value = _value(setting, quantity)
        if setting.role not in _SHORT or value is None:
            continue
        colour, interval = ROLE[setting.role], _interval(setting, quantity)
        if interval is not None and interval.low < interval.high:
            axes.axhspan(interval.low, interval.high, color=colour, alpha=0.1, linewidth=0)
        axes.axhline(value, color=colour, linewidth=1.3, linestyle=(0, (5, 3)))
        yield EndLabel(value, f"{_SHORT[setting.role]} {percent(value, 1 if quantity == 'accuracy' else 0)}", colour)


def _thresholds_axis(axes: Axes, xs: Sequence[int], number: int) -> None:
    margin = max(4.0, 0.06 * (xs[-1] - xs[0]))
    axes.set_xlim(xs[0] - margin, xs[-1] + margin)
    axes.set_xticks(xs, [f"{x}%" for x in xs])
    axes.set_xlabel(f"confidence threshold of round {number}")


def _limits(results: Results, quantity: Quantity) -> tuple[float, float]:
    """Take one range for all panels: all values, and intervals as far as they do not flatten everything else."""
    shown = [s for s in results.settings if s.role in (*_SHORT, "round")]
    values = [v for s in shown if (v := _value(s, quantity)) is not None]
    span = max(max(values) - min(values), 0.2)
    ends = [e for s in shown if (i := _interval(s, quantity)) is not None for e in (i.low, i.high)]
    low = max(min([*values, *ends]), min(values) - span)
    high = min(max([*values, *ends]), max(values) + span)
    if quantity == "accuracy":
        low, high = max(low, 0.0), max(high, 0.1)
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def _value(setting: SettingResult | PointResult, quantity: Quantity) -> float | None:
    return setting.accuracy.value if quantity == "accuracy" else setting.pgr.value


def _interval(setting: SettingResult, quantity: Quantity) -> Bounds | None:
    return setting.accuracy.interval if quantity == "accuracy" else setting.pgr.interval


def _seed_values(points: Sequence[PointResult], setting: SettingResult, quantity: Quantity) -> tuple[float, ...]:
    own = [p for p in points if p.role == setting.role and p.thresholds == setting.thresholds]
    return tuple(v for p in own if (v := _value(p, quantity)) is not None)


def _spoken(settings: Sequence[SettingResult], quantity: Quantity) -> str:
    """Tell the ends of the range in words; the table holds every number."""
    write: Callable[[float], str] = lambda v: percent(v, 1 if quantity == "accuracy" else 0)  # noqa: E731
    known = [(v, s) for s in settings if (v := _value(s, quantity)) is not None]
    if not known:
        return "Undefined."
    (low, lowest), (high, highest) = min(known, key=lambda k: k[0]), max(known, key=lambda k: k[0])
    return f"From {write(low)} ({setting_label(lowest)}) to {write(high)} ({setting_label(highest)})."
