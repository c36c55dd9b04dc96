"""Tables of settings against capabilities, with the average first, and rows for figures of the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from w2s_jobs.contracts.estimates import Bounds
from w2s_jobs.contracts.survey_results import SurveyScore, SurveySetting
from w2s_jobs.core.analysis.words import percent, pgr_range
from w2s_jobs.engines.reporting.canvas import Panel
from w2s_jobs.engines.reporting.palette import categories
from w2s_jobs.engines.reporting.row_figure import Mark, Row, row_panel
from w2s_jobs.engines.reporting.sections import LegendEntry
from w2s_jobs.engines.reporting.tables import DASH, Cell, Table, difference_cell
from w2s_jobs.engines.surveying.line_figure import marks_legend
from w2s_jobs.engines.surveying.names import (
    AVERAGE,
    MARKERS,
    folded,
    look,
    pair_label,
    setting_label,
    touched,
    way_label,
)
from w2s_jobs.engines.surveying.survey_view import Pair, SurveyView, score_of

__all__ = [
    "Compared",
    "Way",
    "accuracy_table",
    "compare_pairs",
    "difference_table",
    "pgr_table",
    "score_cell",
    "setting_cell",
]

Way = tuple[str, str | None]
Write = Callable[[SurveyScore], Cell]


def accuracy_table(
    view: SurveyView, settings: Sequence[SurveySetting], caption: str, folded_away: bool = True
) -> Table:
    """Write accuracies; what differs from WTS beyond its interval is in bold."""
    return _table(
        view,
        settings,
        f"{caption} In percent, with {100 * view.results.confidence_level:g}% intervals; bold: the difference to WTS "
        "of the same models excludes zero.",
        score_cell,
        folded_away,
    )


def pgr_table(view: SurveyView, settings: Sequence[SurveySetting], caption: str) -> Table:
    """Write PGR."""
    return _table(view, settings, f"{caption} PGR with its interval.", _pgr_cell, folded_away=True)


def difference_table(view: SurveyView, settings: Sequence[SurveySetting], caption: str) -> Table:
    """Write differences to WTS, in points."""
    return _table(
        view, settings, f"{caption} Points above WTS of the same models.", lambda s: difference_cell(s.difference), True
    )


def setting_cell(setting: SurveySetting) -> Cell:
    """Name a row."""
    return Cell(setting_label(setting), role=look(setting).tone)


def score_cell(score: SurveyScore) -> Cell:
    """Write an accuracy shortly."""
    interval, difference = score.accuracy.interval, score.difference
    return Cell(
        _short(score.accuracy.value),
        "" if interval is None else f"{_short(interval.low)}{DASH}{_short(interval.high)}",
        sure=difference is not None and (difference.better or difference.worse),
    )


@dataclass(frozen=True)
class Compared:
    """Panels that compare ways of making a model, for every pair of models."""

    panels: tuple[Panel, ...]
    """panels of averages: a row for each pair; or of the only pair"""
    each: tuple[Panel, ...]
    """each pair, a row for the average and each capability; empty where there is one pair"""
    legend: tuple[LegendEntry, ...]


def compare_pairs(
    view: SurveyView, name: str, pairs: Sequence[Pair], ways: Sequence[Way], differences: bool = False
) -> Compared:
    """Draw a mark for each way: over pairs of models for the average, and over capabilities for each pair.

    Parameters
    ----------
    view
        Where settings are found.
    name
        Prefix of the drawings' ids.
    pairs
        Pairs of models.
    ways
        Role and variant of what is compared.
    differences
        Draw points above WTS in place of accuracy.
    """
    write, zero = (_points, 0.0) if differences else (percent, None)
    looks = _apart(view, ways)
    rows = {
        pair: [
            _row(folded(column or AVERAGE), view.of_pair(pair, *ways), column, looks, differences)
            for column in view.columns
        ]
        for pair in pairs
    }
    each = tuple(
        row_panel(f"{name}{i}", pair_label(*pair), [r for r in found if r.marks], write, zero, explained=False)
        for i, (pair, found) in enumerate(rows.items())
        if any(row.marks for row in found)
    )
    legend = marks_legend([row for found in rows.values() for row in found])
    if len(pairs) < 2:
        return Compared(each, (), legend)
    overview = [replace(found[0], label=folded(pair_label(*pair), 20), strong=False) for pair, found in rows.items()]
    title = f"{'Points against WTS' if differences else 'Accuracy'}, {AVERAGE}"
    return Compared((row_panel(name, title, overview, write, zero, explained=False),), each, legend)


def _row(
    label: str,
    settings: Sequence[SurveySetting],
    column: str | None,
    looks: Mapping[tuple[str, str], tuple[str, str]],
    differences: bool,
) -> Row:
    marks = [_mark(s, column, differences, looks[s.role, s.variant]) for s in settings]
    return Row(label, tuple(mark for mark in marks if mark is not None), strong=column is None)


def _apart(view: SurveyView, ways: Sequence[Way]) -> dict[tuple[str, str], tuple[str, str]]:
    """Give each way colour and mark: its own, or where those are one, colours that tell them apart."""
    settings = [s for role, variant in ways for s in view.find(role, variant=variant)]
    own: dict[tuple[str, str], tuple[str, str]] = {
        (s.role, s.variant): (look(s).colour, look(s).marker) for s in settings
    }
    if len(set(own.values())) == len(own):
        return own
    colours = categories([f"{role}-{variant}" for role, variant in own])
    return {
        way: (colour, MARKERS[i % len(MARKERS)])
        for i, (way, colour) in enumerate(zip(own, colours.values(), strict=True))
    }


def _mark(setting: SurveySetting, column: str | None, difference: bool, seen: tuple[str, str]) -> Mark | None:
    score = score_of(setting, column)
    if score is None or (difference and score.difference is None):
        return None
    value, interval = score.accuracy.value, score.accuracy.interval
    if difference and score.difference is not None:
        value, interval = score.difference.value, score.difference.interval
    return Mark(way_label(setting.role, setting.variant), value, interval, *seen)


def _table(view: SurveyView, settings: Sequence[SurveySetting], caption: str, write: Write, folded_away: bool) -> Table:
    rows = []
    for setting in settings:
        scores = [(column, score_of(setting, column)) for column in view.columns]
        cells = [_noted(setting, column, write(score)) if score else Cell(DASH) for column, score in scores]
        rows.append((setting_cell(setting), *cells))
    return Table(
        caption=caption,
        headings=("Setting", AVERAGE, *view.results.capabilities),
        rows=rows,
        folded=folded_away,
        wide=True,
    )


def _noted(setting: SurveySetting, column: str | None, cell: Cell) -> Cell:
    if column is None or not touched(setting, column):
        return cell
    return Cell(f"{cell.text}*", cell.under, cell.sure, hint="the labels of this very capability were changed")


def _pgr_cell(score: SurveyScore) -> Cell:
    if score.pgr.value is None:
        return Cell(DASH, hint=score.pgr.reason or "")
    interval: Bounds | None = score.pgr.interval
    return Cell(percent(score.pgr.value, 0), "" if interval is None else pgr_range(interval))


def _short(value: float) -> str:
    return percent(value).removesuffix("%")


def _points(value: float) -> str:
    return f"{100 * value:+.1f} points"
