"""Thresholds chosen without gold: what the rules thought, what was so, and what the choice cost."""

from __future__ import annotations

from collections.abc import Sequence

from w2s_jobs.contracts.analyses import ChosenResult
from w2s_jobs.contracts.results import Results
from w2s_jobs.core.analysis.words import percent, points, threshold_word
from w2s_jobs.engines.reporting.canvas import EndLabel, Panel, draw, halo, label_ends, new_axes, percent_axis
from w2s_jobs.engines.reporting.palette import MUTED, ROLE, categories
from w2s_jobs.engines.reporting.row_figure import Mark, Row, row_panel
from w2s_jobs.engines.reporting.sections import Block
from w2s_jobs.engines.reporting.tables import DASH, Cell, Table, accuracy_cell, difference_cell, share_cell

__all__ = ["choice_block"]

_MOST_ROWS = 24


def choice_block(results: Results) -> Block | None:
    """Show every chosen threshold, or nothing where no rule chose."""
    choices = results.choices
    if not choices:
        return None
    panels = [panel for panel in (_beliefs(choices), _regrets(choices)) if panel is not None]
    regrets = [choice.regret for choice in choices if choice.regret is not None and choice.seed is not None]
    sure, of = sum(regret.better for regret in regrets), len(regrets)
    caption = (
        "The paper leaves the choice of thresholds open (its limitations); these rules read no gold of the unlabelled "
        "split. Left: the share of right labels that a rule expected at each threshold (dashed) and what gold says of "
        "the same labels (solid), round 1 of the first seed; a diamond marks the chosen threshold. Regret: how many "
        "points of accuracy the best threshold of the whole sweep lies above the chosen one. "
        + (
            f"In {sure} of {of} choices the best threshold is better beyond its interval, which allows for picking the "
            "best of the sweep on the test questions."
            if of
            else "No choice can be set beside a sweep here."
        )
    )
    return Block(tuple(panels), caption, _tables(choices), " ".join(_notes(choices)))


def _tables(choices: Sequence[ChosenResult]) -> tuple[Table, ...]:
    """Show the means over seeds where there are several, and every choice behind them."""
    means = [choice for choice in choices if choice.seed is None]
    singles = [choice for choice in choices if choice.seed is not None]
    headings = ("Rule, after", "Seed", "Chosen", "Kept", "Right: expected", "By gold", "Accuracy", "Best", "Regret")
    tables = []
    if means:
        caption = (
            "Mean over seeds; each seed chose its own threshold, the best one is the same for all seeds. Right: share "
            "of right labels among the kept."
        )
        tables.append(Table(caption, headings, [_row(choice) for choice in means]))
    caption = "Each choice. Right: share of right labels among the kept. Regret in points."
    folded = bool(means) or len(singles) > 12
    tables.append(Table(caption, headings, [_row(c) for c in singles], folded, "Every choice as a table"))
    return tuple(tables)


def _row(choice: ChosenResult) -> tuple[Cell, ...]:
    best = Cell(DASH, hint=choice.reason or "")
    if choice.best_threshold is not None and choice.best_accuracy is not None:
        best = Cell(percent(choice.best_accuracy), f"at {choice.best_threshold}%")
    return (
        Cell(_name(choice), role="round"),
        Cell("mean" if choice.seed is None else str(choice.seed)),
        Cell(f"{choice.threshold:.3g}%"),
        Cell(DASH if choice.kept is None else f"{choice.kept:,.0f}"),
        share_cell(choice.estimated_correctness),
        share_cell(choice.correctness),
        accuracy_cell(choice.accuracy) if choice.accuracy is not None else Cell("not trained"),
        best,
        difference_cell(choice.regret),
    )


def _beliefs(choices: Sequence[ChosenResult]) -> Panel | None:
    """Draw estimated and true correctness of round 1 against the threshold, for the first seed of each rule."""
    shown: dict[str, ChosenResult] = {}
    for choice in choices:
        if not choice.after and choice.calibration:
            shown.setdefault(choice.rule, choice)
    if not shown:
        return None
    figure, axes = new_axes(height=3.2)
    colours = categories(list(shown))
    labels, truth = [], False
    for rule, choice in shown.items():
        expected = [(row.threshold, row.estimated) for row in choice.calibration if row.estimated is not None]
        true = [(row.threshold, row.true) for row in choice.calibration if row.true is not None]
        if true and not truth:
            axes.plot(*zip(*true, strict=True), "-", color=ROLE["ceiling"])
            labels.append(EndLabel(true[-1][1], f"by gold {percent(true[-1][1], 0)}", ROLE["ceiling"]))
            truth = True
        if expected:
            axes.plot(*zip(*expected, strict=True), "--", color=colours[rule], linewidth=1.5)
            labels.append(EndLabel(expected[-1][1], f"{rule} {percent(expected[-1][1], 0)}", colours[rule]))
            chosen = [value for threshold, value in expected if threshold == choice.threshold]
            axes.plot([choice.threshold] * len(chosen), chosen, "D", color=colours[rule], markersize=7, **halo())
    axes.set_xlabel("confidence threshold of round 1")
    percent_axis(axes, "y")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}%")
    axes.set_xlim(0, 103)
    axes.margins(y=0.08)
    label_ends(axes, labels)
    spoken = "; ".join(f"{rule} chose {choice.threshold:g}%" for rule, choice in shown.items())
    title = "Right labels: expected and by gold"
    return draw(figure, "beliefs", title, f"{title}, against the threshold. {spoken}.")


def _regrets(choices: Sequence[ChosenResult]) -> Panel | None:
    means = {(c.after, c.rule) for c in choices if c.seed is None}
    shown = [c for c in choices if c.regret is not None and (c.seed is None or (c.after, c.rule) not in means)]
    if not shown:
        return None
    rows = []
    for choice in shown[:_MOST_ROWS]:
        if choice.regret is not None:
            colour = ROLE["round"] if choice.regret.better else MUTED
            mark = Mark("regret", choice.regret.value, choice.regret.interval, colour)
            rows.append(Row(f"{_name(choice)}", (mark,)))
    over = " (mean over seeds)" if means else ""
    return row_panel("regret", f"Regret: best of the sweep \N{MINUS SIGN} chosen{over}", rows, points, points_from=0.0)


def _name(choice: ChosenResult) -> str:
    after = " → ".join(map(threshold_word, choice.after))
    return f"{after} → {choice.rule}" if after else choice.rule


def _notes(choices: Sequence[ChosenResult]) -> list[str]:
    """Say what the rules say of their own estimates, once each; round 1 only, because later ones repeat it."""
    found = {f"{choice.rule}: {note}" for choice in choices if not choice.after for note in choice.notes}
    return sorted(found)
