"""Axes with the report's look, and figures as SVG that the page can hold: deterministic, themed, readable aloud."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from w2s_jobs.engines.reporting.palette import GRID, INK, MUTED, PAPER, as_css_variables

__all__ = ["EndLabel", "Panel", "draw", "halo", "label_ends", "new_axes", "percent_axis", "points_axis"]

_STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that every machine lays out alike
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "w2s",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "ytick.major.size": 0,
    "xtick.major.size": 3,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "hatch.linewidth": 0.8,
}
_DECIMALS = re.compile(r"(?<=\.\d\d)\d+")


@dataclass(frozen=True)
class Panel:
    """One drawing with the words that stand in for it."""

    title: str
    svg: str
    description: str
    """description for who cannot see it, and for search"""


@dataclass(frozen=True)
class EndLabel:
    """A label at the right end of a line."""

    y: float
    text: str
    colour: str


def new_axes(width: float = 5.4, height: float = 3.5) -> tuple[Figure, Axes]:
    """Make a figure (inches) with one set of axes."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        return figure, figure.subplots()


def percent_axis(axes: Axes, which: str = "y") -> None:
    """Label an axis of fractions in percent."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%".replace("-", "\N{MINUS SIGN}")))


def points_axis(axis: Axis) -> None:
    """Label an axis of differences between fractions in percentage points."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}".replace("-", "\N{MINUS SIGN}")))


def label_ends(axes: Axes, labels: Sequence[EndLabel], size: float = 9.5) -> None:
    """Write labels right of the axes, moved apart where they would overlap, in the order of their lines."""
    if not labels:
        return
    low, high = axes.get_ylim()
    pixels = axes.get_window_extent().height * 72 / axes.figure.dpi
    needed = 1.18 * size * (high - low) / pixels
    for label, y in zip(
        sorted(labels, key=lambda e: e.y), _apart(sorted(e.y for e in labels), needed, low, high), strict=True
    ):
        axes.annotate(
            label.text,
            xy=(1.0, y),
            xycoords=axes.get_yaxis_transform(),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            ha="left",
            fontsize=size,
            color=label.colour,
            annotation_clip=False,
        )


def draw(figure: Figure, name: str, title: str, description: str) -> Panel:
    """Render a figure as an inline SVG whose ids begin with `name`."""
    out = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    # The style element would hold for the whole page; report.css says the same of our figures alone.
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', _head(description), svg, count=1, flags=re.DOTALL)
    svg = _own_ids(_compact(svg), name)
    return Panel(title=title, svg=as_css_variables(svg), description=description)


def halo(width: float = 2.5) -> dict[str, Any]:
    """Return the marker edge that keeps a marker apart from what is under it."""
    return {"markeredgecolor": PAPER, "markeredgewidth": width / 2}


def _head(description: str) -> str:
    label = escape(description, quote=True).replace("\\", "")
    return rf'<svg viewBox="\1" role="img" aria-label="{label}" xmlns:xlink="http://www.w3.org/1999/xlink">'


def _compact(svg: str) -> str:
    """Leave out what no eye sees: space between tags, third decimals of coordinates, the font (the page has it)."""
    svg = re.sub(r">\s+<", "><", svg)
    svg = re.sub(r"""font-family: ?('DejaVu Sans'|"DejaVu Sans"|DejaVu Sans)(, [^;"]*)?(; )?""", "", svg)
    svg = re.sub(r"""font: ([\d.]+px) ('DejaVu Sans'|"DejaVu Sans"|DejaVu Sans)(, [^;"]*)?""", r"font-size: \1", svg)
    return re.sub(r' (?:d|x|y|transform)="[^"]*"', lambda m: re.sub(r"\s+", " ", _DECIMALS.sub("", m[0])), svg)


def _own_ids(svg: str, name: str) -> str:
    """Drop ids that nothing refers to, and make the others unique on the page."""
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", svg)
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)


def _apart(ys: Sequence[float], needed: float, low: float, high: float) -> list[float]:
    """Move sorted positions apart to at least `needed`, as little as possible, inside low..high where they fit."""
    placed = list(ys)
    for _ in range(200):
        moved = False
        for i in range(len(placed) - 1):
            lack = needed - (placed[i + 1] - placed[i])
            if lack > needed * 1e-3:
                placed[i] -= lack / 2
                placed[i + 1] += lack / 2
                moved = True
        if not moved:
            break
    over, under = placed[-1] - high, low - placed[0]
    shift = -over if over > 0 >= under else under if under > 0 >= over else 0.0
    return [y + shift for y in placed]
