"""The growth curve: how long drains of ever more experiments take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from benchmarks.cluster.drain import Drained

__all__ = ["draw_curve"]

_LINE, _BOUND = "#2f6f9f", "#8a8a8a"


def draw_curve(found: Sequence[Drained], image: Path) -> None:
    """Write a PNG: seconds by number of experiments, both on logarithmic axes."""
    counts, seconds = [one.experiments for one in found], [one.seconds for one in found]
    with mpl.rc_context(
        {"font.family": "DejaVu Sans", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    ):
        figure = Figure(figsize=(5.4, 3.3), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        axes.plot(counts, [0.15 * count for count in counts], "--", color=_BOUND, label="150 s for 1,000")
        axes.plot(counts, seconds, "o-", color=_LINE, label="measured")
        for one in found:
            words = f"{one.seconds:.3g} s, {one.memory:.0f} MB"
            axes.annotate(words, (one.experiments, one.seconds), (0, 9), textcoords="offset points", ha="center")
        axes.set(xscale="log", yscale="log", xlabel="experiments of 5 sequential steps, created at once")
        axes.set_ylabel("seconds until all have succeeded")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.margins(0.15)
        axes.legend(frameon=False, loc="lower right")
        figure.savefig(image, dpi=110, metadata={"Software": None})
