"""Lines over models or shares: one panel averaged over capabilities, and a small one for each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from w2s_jobs.contracts.estimates import Bounds
from w2s_jobs.core.analysis.words import percent
from w2s_jobs.engines.reporting.canvas import Panel, draw, halo, new_axes, percent_axis
from w2s_jobs.engines.reporting.palette import MUTED, PAPER, as_css_variables
from w2s_jobs.engines.reporting.row_figure import Row
from w2s_jobs.engines.reporting.sections import LegendEntry
from w2s_jobs.engines.surveying.names import AVERAGE, folded

__all__ = ["Dot", "Line", "Plane", "legend_of", "line_panels", "marks_legend"]

_MOST_SPOKEN = 8
_GLYPHS = {"o": "●○", "s": "■□", "^": "▲△", "v": "▼▽", "D": "◆◇", "": "━╍"}


@dataclass(frozen=True)
class Dot:
    """One number of a line."""

    x: float
    y: float
    interval: Bounds | None


@dataclass(frozen=True)
class Line:
    """Numbers that belong together; one without dots in a panel is left out of it."""

    label: str
    colour: str
    dots: tuple[Dot, ...]
    marker: str = "o"
    hollow: bool = False
    """hollow marks on a dashed line"""
    joined: bool = True


@dataclass(frozen=True)
class Plane:
    """The axes that all panels of a figure share."""

    ticks: tuple[tuple[float, str], ...]
    across: str
    """across: what the horizontal axis is"""
    quantity: str = "accuracy"
    diagonal: bool = False
    """diagonal from 0 to 1: what chance, or a perfect judge, would give"""
    whole: str = AVERAGE
    """whole: what the large panel is, of capabilities"""
    shift: float = 0.0
    """shift between neighbouring lines, so that their whiskers do not hide each other"""


def line_panels(
    name: str, title: str, plane: Plane, lines: Callable[[str | None], Sequence[Line]], columns: Sequence[str | None]
) -> tuple[list[Panel], list[Panel], tuple[LegendEntry, ...]]:
    """Draw the average as a panel and each capability as a small one; nothing where no line has a dot.

    Parameters
    ----------
    name
        Prefix of the drawings' ids.
    title
        What is drawn, such as `Accuracy`.
    plane
        Axes of all panels.
    lines
        Returns the lines of a capability, or of the average for none.
    columns
        None for the average, and capabilities.
    """
    drawn = {column: [line for line in lines(column) if line.dots] for column in columns}
    large = [
        _panel(f"{name}-{AVERAGE}", f"{title}, {plane.whole}", plane, found, small=False)
        for column, found in drawn.items()
        if column is None and found
    ]
    small = [
        _panel(f"{name}-{i}", column, plane, found, small=True)
        for i, (column, found) in enumerate(drawn.items())
        if column is not None and found
    ]
    return large, small, legend_of([line for found in drawn.values() for line in found])


def legend_of(lines: Sequence[Line]) -> tuple[LegendEntry, ...]:
    """Explain the marks of lines, each label once."""
    first = {line.label: line for line in reversed(lines)}
    ordered = dict.fromkeys(line.label for line in lines)
    return tuple(
        LegendEntry(_GLYPHS[first[label].marker][first[label].hollow], as_css_variables(first[label].colour), label)
        for label in ordered
    )


def marks_legend(rows: Sequence[Row]) -> tuple[LegendEntry, ...]:
    """Explain the marks of rows, each series once."""
    marks = {mark.series: mark for row in rows for mark in row.marks}
    return tuple(LegendEntry(_GLYPHS[m.marker][0], as_css_variables(m.colour), series) for series, m in marks.items())


def _panel(name: str, title: str, plane: Plane, lines: Sequence[Line], small: bool) -> Panel:
    figure, axes = new_axes(3.1, 2.35) if small else new_axes()
    if plane.diagonal:
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (5, 3)))
    for place, line in enumerate(lines):
        xs = [dot.x + plane.shift * _aside(lines, place, dot.x) for dot in line.dots]
        ys = [dot.y for dot in line.dots]
        for x, dot in zip(xs, line.dots, strict=True):
            if dot.interval is not None:
                axes.plot([x, x], [dot.interval.low, dot.interval.high], color=line.colour, linewidth=1.2, alpha=0.5)
        style = "" if not line.joined else "--" if line.hollow else "-"
        axes.plot(
            xs,
            ys,
            linestyle=style or "none",
            marker=line.marker,
            color=line.colour,
            linewidth=1.3 if small or line.hollow else 1.8,
            markersize=5 if small else 6,
            zorder=3,
            **(
                {"markerfacecolor": PAPER, "markeredgecolor": line.colour}
                if line.hollow
                else halo(1.4 if small else 2.5)
            ),
        )
    _finish(axes, plane, lines, small)
    spoken = "; ".join(f"{line.label}: {_spoken(line, plane)}" for line in lines[:12])
    return draw(figure, name, title, f"{title}, {plane.quantity.replace('pgr', 'PGR')}. {spoken}.")


def _aside(lines: Sequence[Line], place: int, x: float) -> float:
    """Return how many shifts a line's dot stands aside of its x: as many as there are neighbours with a dot there."""
    there = [i for i, line in enumerate(lines) if any(dot.x == x for dot in line.dots)]
    return there.index(place) - (len(there) - 1) / 2


def _finish(axes: Axes, plane: Plane, lines: Sequence[Line], small: bool) -> None:
    places = [x for x, _ in plane.ticks]
    margin = (0.09 * (places[-1] - places[0]) if len(places) > 1 else 0.4) + plane.shift * len(lines) / 2
    labels = [folded(label, 12) for _, label in plane.ticks]
    crowded = max(map(len, labels)) * len(labels) > (26 if small else 52)
    axes.set_xticks(places, labels)
    axes.tick_params(axis="x", labelrotation=28 if crowded else 0, labelsize=8.5 if small else 10)
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("right" if crowded else "center")
    axes.set_xlim(places[0] - margin, places[-1] + margin)
    axes.set_ylim(*((-0.04, 1.04) if plane.diagonal else _limits(lines, plane.quantity)))
    axes.yaxis.set_major_locator(MaxNLocator(4 if small else 6))
    percent_axis(axes)
    if not small:
        axes.set_xlabel(plane.across)


def _limits(lines: Sequence[Line], quantity: str) -> tuple[float, float]:
    """Hold all values, and intervals as far as they do not flatten everything else."""
    dots = [dot for line in lines for dot in line.dots]
    values = [dot.y for dot in dots]
    span = max(max(values) - min(values), 0.2 if quantity == "pgr" else 0.05)
    ends = [end for dot in dots if dot.interval is not None for end in (dot.interval.low, dot.interval.high)]
    low = max(min([*values, *ends]), min(values) - span)
    high = min(max([*values, *ends]), max(values) + span)
    margin = 0.05 * max(high - low, 0.02)
    return low - margin, high + margin


def _spoken(line: Line, plane: Plane) -> str:
    ticks = dict(plane.ticks)
    digits = 0 if plane.quantity == "pgr" else 1
    shown = line.dots if len(line.dots) <= _MOST_SPOKEN else (line.dots[0], line.dots[-1])
    return ", ".join(f"{ticks.get(dot.x) or percent(dot.x, 0)} {percent(dot.y, digits)}" for dot in shown)
