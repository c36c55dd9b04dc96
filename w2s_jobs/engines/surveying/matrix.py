"""Tables of settings against capabilities, with the average first, and rows for figures of the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from w2s_jobs.contracts.estimates import Bounds
from w2s_jobs.contracts.survey_results import SurveyScore, SurveySetting
from w2s_jobs.core.analysis.words import percent, pgr_range
from w2s_jobs.engines.reporting.canvas import Panel
from w2s_jobs.engines.reporting.palette import categories
from w2s_jobs.engines.reporting.row_figure import Mark, Row, row_panel
from w2s_jobs.engines.reporting.tables import DASH, Cell, Table, difference_cell
from w2s_jobs.engines.surveying.names import AVERAGE, folded, look, pair_label, setting_label, touched, way_label
from w2s_jobs.engines.surveying.survey_view import Pair, SurveyView, score_of

__all__ = ["accuracy_table", "difference_table", "pair_panels", "pgr_table", "score_cell", "setting_cell"]

_MARKERS = "osD^Xv"
Write = Callable[[SurveyScore], Cell]


def accuracy_table(
    view: SurveyView, settings: Sequence[SurveySetting], caption: str, folded_away: bool = True
) -> Table:
    """Write accuracies; what differs from WTS beyond its interval is in bold."""
    return _table(
        view,
        settings,
        f"{caption} In percent, with {100 * view.results.confidence_level:g}% intervals; bold: the difference to WTS of "
        "the same models excludes zero.",
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


def pair_panels(
    view: SurveyView,
    name: str,
    pairs: Sequence[Pair],
    ways: Sequence[tuple[str, str | None]],
    differences: bool = False,
) -> list[Panel]:
    """Draw each pair of models as a panel: a row for the average and each capability, a mark for each way.

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
    panels = []
    for i, pair in enumerate(pairs):
        settings = view.of_pair(pair, *ways)
        looks = _apart(settings)
        rows = [
            Row(
                folded(column or AVERAGE),
                tuple(mark for s in settings if (mark := _mark(s, column, differences, looks[s.name])) is not None),
                strong=column is None,
            )
            for column in view.columns
        ]
        rows = [row for row in rows if row.marks]
        if rows:
            write = _points if differences else percent
            panels.append(row_panel(f"{name}{i}", pair_label(*pair), rows, write, 0.0 if differences else None))
    return panels


def _apart(settings: Sequence[SurveySetting]) -> dict[str, tuple[str, str]]:
    """Give each setting colour and mark: its own, or where those are one, colours that tell them apart."""
    own = {s.name: (look(s).colour, look(s).marker) for s in settings}
    if len(set(own.values())) == len(own):
        return own
    colours = categories([s.name for s in settings])
    return {s.name: (colours[s.name], _MARKERS[i % len(_MARKERS)]) for i, s in enumerate(settings)}


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
