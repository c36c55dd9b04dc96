"""Bars of five classes of agreement, one row a capability; what a selection dropped of a class is drawn faint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from w2s_jobs.contracts.survey_results import AGREEMENT_CLASSES, AgreementCounts
from w2s_jobs.core.analysis.words import percent
from w2s_jobs.engines.reporting.canvas import Panel, draw, new_axes, percent_axis
from w2s_jobs.engines.reporting.palette import GRID, INK, PAPER, ROLE, as_css_variables
from w2s_jobs.engines.reporting.sections import LegendEntry
from w2s_jobs.engines.surveying.names import folded

__all__ = ["StackRow", "class_legend", "class_looks", "class_names", "shares", "stack_panel"]

_COLOURS = dict(
    zip(
        AGREEMENT_CLASSES,
        (ROLE["ceiling"], ROLE["direct"], ROLE["confident"], ROLE["weak"], ROLE["conventional"]),
        strict=True,
    )
)
_MARKS = dict(zip(AGREEMENT_CLASSES, "osD^v", strict=True))
_WIDE_ENOUGH = 0.085
"""Share of the width from which a number fits into its part of a bar."""


@dataclass(frozen=True)
class StackRow:
    """One bar."""

    label: str
    counts: AgreementCounts
    kept: AgreementCounts | None = None
    """kept of them by a selection; null where nothing was selected"""
    strong: bool = False
    """strong rows sum up the others"""


def class_names(first: str, second: str) -> dict[str, str]:
    """Name the classes, with the paper's words, for answers of these two models."""
    return {
        "both_right": "both right",
        "both_wrong_same": "both wrong, same answer",
        "second_right": f"only {second} right",
        "first_right": f"only {first} right",
        "both_wrong_different": "both wrong, different answers",
    }


def class_looks(first: str, second: str) -> dict[str, tuple[str, str, str]]:
    """Return name, colour and mark of each class, where it is no part of a bar."""
    names = class_names(first, second)
    return {part: (name, _COLOURS[part], _MARKS[part]) for part, name in names.items()}


def class_legend(first: str, second: str) -> tuple[LegendEntry, ...]:
    """Explain the colours."""
    return tuple(
        LegendEntry("", as_css_variables(_COLOURS[part]), name) for part, name in class_names(first, second).items()
    )


def shares(counts: AgreementCounts) -> dict[str, float]:
    """Return each class as a share of all questions; zeros where there are none."""
    total = sum(getattr(counts, name) for name in AGREEMENT_CLASSES)
    return {name: getattr(counts, name) / total if total else 0.0 for name in AGREEMENT_CLASSES}


def stack_panel(name: str, title: str, rows: Sequence[StackRow], first: str, second: str) -> Panel:
    """Draw one bar a row, in the order of the paper's classes."""
    figure, axes = new_axes(height=0.55 + 0.33 * len(rows))
    for place, row in enumerate(rows):
        left = 0.0
        for part, share in shares(row.counts).items():
            _draw_part(axes, place, left, share, part, row)
            left += share
    axes.set_yticks(range(len(rows)), [folded(row.label) for row in rows])
    axes.tick_params(axis="y", labelcolor=INK)
    for row, label in zip(rows, axes.get_yticklabels(), strict=True):
        label.set_fontweight("bold" if row.strong else "normal")
    for place in (i for i, row in enumerate(rows[:-1]) if row.strong):
        axes.axhline(place + 0.5, color=GRID, linewidth=1)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.grid(visible=False)
    percent_axis(axes, "x")
    words = class_names(first, second)
    spoken = "; ".join(
        f"{row.label}: {', '.join(f'{words[part]} {percent(share)}' for part, share in shares(row.counts).items())}"
        for row in rows
    )
    return draw(figure, name, title, f"{title}. {spoken}.")


def _draw_part(axes: Axes, place: int, left: float, share: float, part: str, row: StackRow) -> None:
    kept = share
    if row.kept is not None:
        whole = getattr(row.counts, part)
        kept = share * getattr(row.kept, part) / whole if whole else 0.0
        axes.barh(place, share, 0.74, left, color=_COLOURS[part], alpha=0.28, edgecolor=PAPER, linewidth=0.8)
    axes.barh(place, kept, 0.74, left, color=_COLOURS[part], edgecolor=PAPER, linewidth=0.8)
    written = kept / share if row.kept is not None and share else share
    if kept >= _WIDE_ENOUGH:
        axes.text(left + kept / 2, place, percent(written, 0), ha="center", va="center", fontsize=8.5, color=PAPER)
