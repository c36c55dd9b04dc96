"""Filter, further rounds and chain of thought, each as figure and table (paper `confidence`, tables 1 to 3)."""

from __future__ import annotations

from collections.abc import Mapping

from w2s_jobs.contracts.analyses import FilterEffect
from w2s_jobs.contracts.estimates import Bounds
from w2s_jobs.contracts.results import Results, SettingResult
from w2s_jobs.core.analysis.words import percent, setting_label, threshold_word
from w2s_jobs.engines.reporting.palette import MUTED, ROLE
from w2s_jobs.engines.reporting.row_figure import Mark, Row, row_panel
from w2s_jobs.engines.reporting.sections import Block
from w2s_jobs.engines.reporting.tables import EMPTY, Cell, Table, accuracy_cell, difference_cell, pgr_cell

__all__ = ["filter_block", "form_block", "round_block"]


def filter_block(results: Results) -> Block | None:
    """Show round 2 with and without its filter (table 1)."""
    if not results.filter_effects:
        return None
    named = _named(results)
    rows = [
        Row(
            f"t₁ = {threshold_word(effect.threshold)}",
            tuple(
                _mark(series, named[name], colour, marker)
                for series, name, colour, marker in (
                    ("round 1", effect.origin, MUTED, "o"),
                    ("with filter", effect.filtered, ROLE["round"], "o"),
                    ("without", effect.unfiltered, ROLE["unfiltered"], "D"),
                )
                if name is not None
            ),
        )
        for effect in results.filter_effects
    ]
    panel = row_panel("filter", "Accuracy after round 2, with and without its filter", rows, percent)
    table = Table(
        caption="With filter: the best threshold of round 2, its interval allowing for the choice among all of them.",
        headings=(
            "Round 1",
            "Accuracy",
            "With filter",
            "Points",
            "Without filter",
            "Points",
            "With less without",
        ),
        rows=[_filter_row(effect, named) for effect in results.filter_effects],
    )
    better, worse = _count(results.filter_effects)
    caption = (
        "As in table 1 of the paper: labels of round 2 that enough samples agree on, against all of them. Bars are "
        f"intervals. Beyond its interval the filter is better from {better} of {len(rows)} thresholds of round 1, and "
        f"worse from {worse}."
    )
    return Block((panel,), caption, (table,))


def round_block(results: Results) -> Block | None:
    """Show what further rounds add on the way to the best setting of the last one (table 2)."""
    if not results.iterations:
        return None
    named = _named(results)
    shown = [named[name] for name in results.iterations]
    rows = [Row(_short(s), (_mark("accuracy", s, ROLE[s.role], "o"),)) for s in shown]
    panel = row_panel("rounds", "Accuracy from round to round", rows, percent)
    table = Table(
        caption="PGR, and points against conventional training and against the round before.",
        headings=("Setting", "Accuracy", "PGR", "Against conventional", "Against round before", "Examples"),
        rows=[
            (
                Cell(setting_label(s), role=s.role),
                accuracy_cell(s.accuracy),
                pgr_cell(s.pgr, results.gap),
                difference_cell(s.difference),
                difference_cell(s.gain),
                EMPTY if s.training is None else Cell(f"{s.training.size:,.0f}"),
            )
            for s in shown
        ],
    )
    gains = [s.gain for s in shown if s.gain is not None]
    sure = sum(gain.better for gain in gains)
    caption = (
        "As in table 2 of the paper: the way to the best setting of the last round, and that round's other thresholds. "
        f"{sure} of {len(gains)} steps from one round to the next are an improvement beyond their interval. The way "
        "was chosen by its end, so its last step is a little flattered."
    )
    return Block((panel,), caption, (table,))


def form_block(results: Results) -> Block | None:
    """Show chain of thought against bare answers (table 3)."""
    if not results.forms:
        return None
    named = _named(results)
    rows = [
        Row(
            setting_label(named[form.chain_of_thought]),
            (
                _mark("chain of thought", named[form.chain_of_thought], ROLE[form.role], "o"),
                _mark("bare answer", named[form.direct], ROLE["direct"], "D"),
            ),
        )
        for form in results.forms
    ]
    panel = row_panel("forms", "Accuracy with reasoning and with bare answers", rows, percent)
    pgrs = {s.role: s.pgr for s in results.settings}
    table = Table(
        caption="PGR of each form lies between the weak model and the ceiling of that form.",
        headings=("Model", "Chain of thought", "PGR", "Bare answer", "PGR", "Points"),
        rows=[
            (
                Cell(setting_label(named[form.chain_of_thought]), role=form.role),
                accuracy_cell(named[form.chain_of_thought].accuracy),
                pgr_cell(pgrs[form.chain_of_thought], results.gap) if form.role == "conventional" else EMPTY,
                accuracy_cell(named[form.direct].accuracy),
                pgr_cell(pgrs[form.direct]) if form.role == "conventional" else EMPTY,
                difference_cell(form.difference),
            )
            for form in results.forms
        ],
    )
    caption = (
        "As in table 3 of the paper: the same models taught and asked with reasoning before the answer, and with the "
        "answer alone. Bars are intervals."
    )
    return Block((panel,), caption, (table,))


def _filter_row(effect: FilterEffect, named: Mapping[str, SettingResult]) -> tuple[Cell, ...]:
    filtered = None if effect.filtered is None else named[effect.filtered]
    best = Cell("not run")
    if filtered is not None:
        best = Cell(percent(filtered.accuracy.value), f"t₂ = {threshold_word(filtered.thresholds[-1])}")
    return (
        Cell(f"t₁ = {threshold_word(effect.threshold)}", role="round"),
        accuracy_cell(named[effect.origin].accuracy),
        best,
        difference_cell(effect.filtered_gain),
        accuracy_cell(named[effect.unfiltered].accuracy),
        difference_cell(effect.unfiltered_gain),
        difference_cell(effect.filter_gain),
    )


def _count(effects: tuple[FilterEffect, ...]) -> tuple[int, int]:
    gains = [effect.filter_gain for effect in effects if effect.filter_gain is not None]
    return sum(gain.better for gain in gains), sum(gain.worse for gain in gains)


def _named(results: Results) -> dict[str, SettingResult]:
    return {setting.name: setting for setting in results.settings}


def _mark(series: str, setting: SettingResult, colour: str, marker: str) -> Mark:
    interval: Bounds | None = setting.accuracy.interval
    return Mark(series, setting.accuracy.value, interval, colour, marker)


def _short(setting: SettingResult) -> str:
    if setting.role != "round":
        return setting_label(setting)
    return f"round {len(setting.thresholds)}: " + " → ".join(map(threshold_word, setting.thresholds))
