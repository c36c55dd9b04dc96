"""Tables of the page: cells with an interval under the number, and a caption that says how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from w2s_jobs.contracts.estimates import Accuracy, Difference, PgrResult
from w2s_jobs.contracts.results import Gap
from w2s_jobs.core.analysis.words import interval_words, percent, pgr_range, points

__all__ = ["DASH", "EMPTY", "Cell", "Table", "accuracy_cell", "difference_cell", "pgr_cell", "share_cell"]


@dataclass(frozen=True)
class Cell:
    """One cell."""

    text: str
    under: str = ""
    """under the text, small: its interval, or what it belongs to"""
    sure: bool = False
    """sure differences are set in bold"""
    role: str = ""
    """role of the setting that the row begins with, for its coloured dot"""
    hint: str = ""
    """hint that is shown where the text is pointed at: why there is no number"""


EMPTY = Cell("")
DASH = "\N{EN DASH}"
"""What stands for an unknown number."""


@dataclass(frozen=True)
class Table:
    """A table; the first column names the row."""

    caption: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    folded: bool = False
    """folded away until it is asked for, because it is long and the figure shows it"""
    summary: str = "The numbers as a table"
    """summary: what a folded table is called"""
    wide: bool = False
    """wide: many columns of short numbers, whose headings may break"""


def accuracy_cell(accuracy: Accuracy | None) -> Cell:
    """Write an accuracy with its interval."""
    if accuracy is None:
        return Cell("not run")
    interval = accuracy.interval
    return Cell(
        percent(accuracy.value), "" if interval is None else f"{percent(interval.low)} to {percent(interval.high)}"
    )


def pgr_cell(pgr: PgrResult | None, gap: Gap | None = None) -> Cell:
    """Write a PGR with its interval; `gap` hides the values of a gap that may be zero."""
    if pgr is None:
        return EMPTY
    if pgr.value is None:
        return Cell("undefined", hint=pgr.reason or "")
    if gap is not None and not gap.certain:
        return Cell("no gap†", hint=gap.reason or "")
    interval = pgr.interval
    shown = interval is not None and interval.low < interval.high
    return Cell(percent(pgr.value, 0), pgr_range(interval) if interval is not None and shown else "")


def difference_cell(difference: Difference | None) -> Cell:
    """Write a difference in points with its interval, in bold where the interval excludes zero."""
    if difference is None:
        return EMPTY
    interval = "" if difference.interval is None else interval_words(difference.interval)
    return Cell(points(difference.value), interval, sure=difference.better or difference.worse)


def share_cell(value: float | None, digits: int = 1) -> Cell:
    """Write a share, or a dash where it is unknown."""
    return Cell(DASH if value is None else percent(value, digits))
