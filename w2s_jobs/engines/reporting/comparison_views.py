"""Two test sets side by side (paper `confidence`, table 4), and the paper's numbers beside this run's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from w2s_jobs.contracts.analyses import PublishedPair
from w2s_jobs.contracts.estimates import Bounds, Difference
from w2s_jobs.contracts.results import Results, SettingResult
from w2s_jobs.core.analysis.words import branch_label, percent, setting_label, threshold_word
from w2s_jobs.engines.reporting.canvas import Panel, draw, halo, new_axes, percent_axis
from w2s_jobs.engines.reporting.palette import INK, MUTED, ROLE
from w2s_jobs.engines.reporting.row_figure import Mark, Row, row_panel
from w2s_jobs.engines.reporting.sections import Block
from w2s_jobs.engines.reporting.tables import DASH, Cell, Table, accuracy_cell, difference_cell, pgr_cell

__all__ = ["extra_test_block", "published_block"]

_NAMES = {
    "weak": "weak model",
    "ceiling": "ceiling",
    "conventional": "conventional",
    "unfiltered": "no filter",
    "direct": "direct answers",
    "direct-weak": "direct, weak",
    "direct-ceiling": "direct, ceiling",
}
_MOST_ROWS = 40


def extra_test_block(results: Results) -> Block | None:
    """Show the same models on the small test set and on both together."""
    tests = results.extra_test
    if tests is None:
        return None
    alone = {setting.name: setting for setting in results.settings}
    shifts = {shift.to: shift for shift in tests.shifts}
    small, large = f"{tests.questions:,} questions", f"{tests.questions_together:,} questions"
    pairs = [(alone[setting.name], setting) for setting in tests.settings]
    table = Table(
        caption=f"Accuracy and PGR on {small} and on {large}; the shift is the second accuracy minus the first.",
        headings=("Setting", f"Accuracy, {small}", "PGR", f"Accuracy, {large}", "PGR", "Shift, points"),
        rows=[_test_row(one, other, shifts[one.name], results) for one, other in pairs],
        folded=len(pairs) > 24,
    )
    moved = sum(shift.better or shift.worse for shift in tests.shifts)
    caption = (
        f"As in table 4 of the paper: {small} of the test split (across) against {large} of test and extraTest "
        "together (up). A dot is a setting; on the line both test sets say the same. More questions, shorter intervals "
        f"(bars). {moved} of {len(pairs)} settings move beyond the interval of their shift."
    )
    return Block(tuple(_agreement(results, pairs)), caption, (table,))


def _agreement(results: Results, pairs: Sequence[tuple[SettingResult, SettingResult]]) -> Iterator[Panel]:
    """Draw each setting's accuracy, and PGR, on one test set over that on the other."""
    colours = {one.name: ROLE[one.role] for one, _ in pairs}
    yield _scatter(
        "tests-accuracy",
        "Accuracy on both test sets",
        [
            (
                one.accuracy.value,
                one.accuracy.interval,
                other.accuracy.value,
                other.accuracy.interval,
                colours[one.name],
            )
            for one, other in pairs
        ],
    )
    if results.gap.certain:
        recovered = [
            (one.pgr.value, one.pgr.interval, other.pgr.value, other.pgr.interval, colours[one.name])
            for one, other in pairs
            if one.role in ("conventional", "round", "unfiltered")
            and one.pgr.value is not None
            and other.pgr.value is not None
        ]
        if recovered:
            yield _scatter("tests-pgr", "PGR on both test sets", recovered)


def _scatter(name: str, title: str, dots: Sequence[tuple[float, Bounds | None, float, Bounds | None, str]]) -> Panel:
    figure, axes = new_axes(height=3.6)
    ends = [v for x, _, y, _, _ in dots for v in (x, y)]
    margin = 0.06 * max(max(ends) - min(ends), 0.05)
    low, high = min(ends) - margin, max(ends) + margin
    axes.plot([low, high], [low, high], color=MUTED, linewidth=1, linestyle=(0, (5, 3)))
    for x, across, y, up, colour in dots:
        if across is not None:
            axes.plot([across.low, across.high], [y, y], color=colour, linewidth=1, alpha=0.35)
        if up is not None:
            axes.plot([x, x], [up.low, up.high], color=colour, linewidth=1, alpha=0.35)
        axes.plot(x, y, "o", color=colour, markersize=6, zorder=3, **halo())
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.grid(visible=True, axis="both")
    percent_axis(axes, "x")
    percent_axis(axes, "y")
    axes.set_xlabel("test alone")
    axes.set_ylabel("test and extraTest")
    spoken = "; ".join(f"{percent(x)} and {percent(y)}" for x, _, y, _, _ in dots[:12])
    return draw(figure, name, title, f"{title}, alone and together: {spoken}.")


def published_block(results: Results) -> Block | None:
    """Show the paper's numbers beside this run's."""
    published = results.published
    if published is None:
        return None
    own = [pair for pair in published.pairs if pair.accuracy is not None]
    series = f"paper, {published.setting}"
    accuracy = [
        Row(
            _pair_name(pair),
            (
                Mark(series, pair.published_accuracy, None, INK, "D"),
                Mark("this run", pair.accuracy.value, pair.accuracy.interval, ROLE["round"]),
            ),
        )
        for pair in own[:_MOST_ROWS]
        if pair.accuracy is not None
    ]
    recovered = [
        Row(
            _pair_name(pair),
            (
                Mark(series, pair.published_pgr, None, INK, "D"),
                Mark("this run", pair.pgr.value, pair.pgr.interval, ROLE["round"]),
            ),
        )
        for pair in own[:_MOST_ROWS]
        if pair.role in ("conventional", "round")
        and pair.published_pgr is not None
        and pair.pgr is not None
        and pair.pgr.value is not None
        and results.gap.certain
    ]
    panels = [row_panel("published-accuracy", "Accuracy, paper and this run", accuracy, percent)] if accuracy else []
    if recovered:
        panels.append(row_panel("published-pgr", "PGR, paper and this run", recovered, lambda v: percent(v, 0)))
    inside = [pair for pair in own if _holds(pair)]
    caption = (
        f"Published in tables 1 to 8 of “{published.paper}” for {published.setting} (diamonds), beside this run (dots "
        f"with intervals). The paper gives no intervals. {len(own)} of {len(published.pairs)} published settings were "
        f"run here; in {len(inside)} of them the published accuracy lies inside this run's interval. Agreement means "
        "something only where models, data and training are the paper's."
    )
    table = Table(
        caption="Every published number of this setting; `not run` where this experiment has no such setting.",
        headings=("Setting", "Paper: accuracy", "Paper: PGR", "This run: accuracy", "This run: PGR", "From"),
        rows=[_published_row(pair, results) for pair in published.pairs],
        folded=len(published.pairs) > 12,
    )
    return Block(tuple(panels), caption, (table,))


def _test_row(one: SettingResult, other: SettingResult, shift: Difference, results: Results) -> tuple[Cell, ...]:
    return (
        Cell(setting_label(one), role=one.role),
        accuracy_cell(one.accuracy),
        pgr_cell(one.pgr, results.gap),
        accuracy_cell(other.accuracy),
        pgr_cell(other.pgr, results.gap),
        difference_cell(shift),
    )


def _published_row(pair: PublishedPair, results: Results) -> tuple[Cell, ...]:
    return (
        Cell(f"{branch_label(pair.role, pair.thresholds)}{_where(pair)}", role=pair.role),
        Cell(percent(pair.published_accuracy, 2)),
        Cell(DASH if pair.published_pgr is None else percent(pair.published_pgr, 2)),
        accuracy_cell(pair.accuracy),
        pgr_cell(pair.pgr, results.gap),
        Cell(pair.table),
    )


def _pair_name(pair: PublishedPair) -> str:
    branch = " → ".join(map(threshold_word, pair.thresholds))
    name = branch if pair.role == "round" else _NAMES.get(pair.role, pair.role)
    return f"{name}, {branch}{_where(pair)}" if branch and pair.role != "round" else f"{name}{_where(pair)}"


def _where(pair: PublishedPair) -> str:
    return ", both test sets" if pair.test_set == "together" else ""


def _holds(pair: PublishedPair) -> bool:
    interval = None if pair.accuracy is None else pair.accuracy.interval
    return interval is not None and interval.low <= pair.published_accuracy <= interval.high
