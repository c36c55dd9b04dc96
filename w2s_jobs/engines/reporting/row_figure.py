"""Numbers with intervals in rows: one row a setting, one mark a kind of number (for the paper's tables 1 to 4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from w2s_jobs.contracts.estimates import Bounds
from w2s_jobs.engines.reporting.canvas import Panel, draw, halo, new_axes, percent_axis, points_axis
from w2s_jobs.engines.reporting.palette import GRID, INK

__all__ = ["Mark", "Row", "row_panel"]

_ROW = 0.34
"""Height of a row with one mark, in inches"""


@dataclass(frozen=True)
class Mark:
    """One number of a row."""

    series: str
    value: float
    interval: Bounds | None
    colour: str
    marker: str = "o"


@dataclass(frozen=True)
class Row:
    """A row with its marks, from top to bottom."""

    label: str
    marks: tuple[Mark, ...]
    bar: float | None = None
    """bar behind the marks, from zero: a share that they are about"""
    strong: bool = False
    """strong rows sum up the others: they stand apart and in bold"""


def row_panel(
    name: str,
    title: str,
    rows: Sequence[Row],
    write: Callable[[float], str],
    points_from: float | None = None,
    explained: bool = True,
) -> Panel:
    """Draw rows over an axis of fractions.

    Parameters
    ----------
    name
        Prefix of the drawing's ids.
    title
        Title of the panel.
    rows
        Rows from top to bottom.
    write
        Writes a value for the spoken description.
    points_from
        For differences: the value that a line marks; the axis is in percentage points.
    explained
        Explain the marks above the axes; false where the page does so for several panels.
    """
    series = list(dict.fromkeys(mark.series for row in rows for mark in row.marks))
    explained = explained and len(series) > 1
    bare = all(mark.interval is None for row in rows for mark in row.marks)
    tall = _ROW if bare else _ROW * max(1.0, (0.62 if len(series) <= 3 else 0.42) * len(series))
    figure, axes = new_axes(height=0.75 + 0.3 * explained + tall * len(rows))
    # A row's marks stand closer together than rows do, and closer still where no interval needs the space.
    step = min(0.18 if bare else 0.3, (0.7 if bare else 0.56) / max(len(series) - 1, 1))
    handles: dict[str, Line2D] = {}
    for place, row in enumerate(rows):
        if row.bar is not None:
            axes.barh(place, row.bar, 0.78, color=GRID)
        for mark in row.marks:
            y = place + (series.index(mark.series) - (len(series) - 1) / 2) * step
            if mark.interval is not None:
                axes.plot([mark.interval.low, mark.interval.high], [y, y], color=mark.colour, linewidth=1.6, alpha=0.5)
            (handle,) = axes.plot(mark.value, y, mark.marker, color=mark.colour, markersize=6.5, zorder=3, **halo())
            handles.setdefault(mark.series, handle)
    if points_from is not None:
        axes.axvline(points_from, color=INK, linewidth=1)
    _name_rows(axes, rows)
    axes.margins(x=0.06)
    if points_from is None and all(mark.value == 0 for row in rows for mark in row.marks):
        axes.set_xlim(-0.01, 0.1)  # an axis around zero would show accuracies below it
    percent_axis(axes, "x")
    if points_from is not None:
        points_axis(axes.xaxis)
        axes.set_xlabel("points of accuracy")
    if explained:
        axes.legend(
            [handles[s] for s in series],
            series,
            frameon=False,
            labelcolor=INK,
            fontsize=9,
            ncols=len(series),
            loc="lower left",
            bbox_to_anchor=(-0.02, 1),
            handletextpad=0.2,
            columnspacing=1.2,
        )
    spoken = "; ".join(
        f"{row.label}: {', '.join(f'{mark.series} {write(mark.value)}' for mark in row.marks)}" for row in rows[:12]
    )
    more = f"; and {len(rows) - 12} more" if len(rows) > 12 else ""
    return draw(figure, name, title, f"{title}. {spoken}{more}.")


def _name_rows(axes: Axes, rows: Sequence[Row]) -> None:
    """Write the names of the rows, those that sum up in bold and with a line under them."""
    axes.set_yticks(range(len(rows)), [row.label for row in rows])
    axes.tick_params(axis="y", labelcolor=INK)
    for row, label in zip(rows, axes.get_yticklabels(), strict=True):
        label.set_fontweight("bold" if row.strong else "normal")
    for place in (i for i, row in enumerate(rows[:-1]) if row.strong and not rows[i + 1].strong):
        axes.axhline(place + 0.5, color=GRID, linewidth=1)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color=GRID)
