"""The tables of settings: the key results of each pair of models, all settings, and settings against capabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from w2s_jobs.contracts.estimates import Accuracy
from w2s_jobs.contracts.survey_results import SurveySetting
from w2s_jobs.core.analysis.words import percent
from w2s_jobs.engines.reporting.tables import EMPTY, Cell, Table, accuracy_cell, difference_cell, pgr_cell
from w2s_jobs.engines.surveying.matrix import accuracy_table, pgr_table, setting_cell
from w2s_jobs.engines.surveying.names import look, pair_label, way_label
from w2s_jobs.engines.surveying.survey_view import Pair, SurveyView

__all__ = [
    "Group",
    "SettingRow",
    "all_groups",
    "credit_table",
    "key_groups",
    "key_table",
    "pgr_by_capability",
    "spreads",
    "whole_table",
]

_KEY = (("weak", None), ("in-context", None), ("wts", None), ("selected", None), ("ceiling", None))
_SELECTED = ("random", "confidence", "both", "reward")


@dataclass(frozen=True)
class SettingRow:
    """One setting with the drawing of its interval."""

    name: Cell
    accuracy: Accuracy
    extremes: tuple[float, ...]
    """extremes: lowest and highest seed, where there are several"""
    cells: tuple[Cell, ...]
    """cells: accuracy, PGR, points above WTS, examples"""
    best: bool = False


@dataclass(frozen=True)
class Group:
    """Settings of one pair of models, or of single models."""

    title: str
    rows: tuple[SettingRow, ...]
    references: tuple[tuple[str, float], ...]
    """references: what the dashed lines mark, by the name of their colour"""


def key_groups(view: SurveyView) -> list[Group]:
    """Group the key settings by pair of models: weak, in context, WTS, selections, ceiling."""
    pairs = view.pairs(view.find("wts", "selected"))
    return [_group(view, pair, _key_settings(view, pair), short=True) for pair in pairs]


def all_groups(view: SurveyView) -> list[Group]:
    """Group every setting: models taught with gold or not at all, then pair after pair."""
    alone = [s for s in view.results.settings if s.weak is None]
    alone = sorted(alone, key=lambda s: (view.order[s.model], ("in-context", "weak", "ceiling").index(s.role)))
    taught = [s for s in view.results.settings if s.weak is not None]
    groups = (
        [Group("Taught with gold, or not at all", tuple(_row(s, setting_cell(s)) for s in alone), ())] if alone else []
    )
    groups += [
        _group(view, pair, [s for s in taught if (s.weak, s.model) == pair], short=True) for pair in view.pairs(taught)
    ]
    return groups


def key_table(view: SurveyView) -> Table:
    """Set the key settings against capabilities."""
    return accuracy_table(view, _key_once(view), "The same settings on each capability.", folded_away=False)


def credit_table(view: SurveyView) -> Table | None:
    """Show partial credit of the tasks that give any (MC-TACO: F1); nothing where none does."""
    named = [
        name
        for name in view.results.capabilities
        if any(
            (s := setting.capabilities.get(name)) and s.partial_credit is not None for setting in view.results.settings
        )
    ]
    if not named:
        return None
    rows = []
    for setting in _ordered(view):
        cells = [_credit_cell(setting, name) for name in named]
        if any(cell.text for cell in cells):
            rows.append((setting_cell(setting), *cells))
    return Table(
        caption="Partial credit, a mean over questions: F1 over the candidate answers of MC-TACO. Under it: the "
        "accuracy that counts whole answers only. Without interval.",
        headings=("Setting", *(f"{name}, {view.results.families.get(name, '')}" for name in named)),
        rows=rows,
        folded=True,
        summary="Partial credit (MC-TACO: F1)",
    )


def whole_table(view: SurveyView) -> Table:
    """Set every setting against capabilities."""
    return accuracy_table(view, _ordered(view), "Every setting on each capability.")


def pgr_by_capability(view: SurveyView) -> Table:
    """Set the PGR of every taught setting against capabilities."""
    settings = [s for s in _ordered(view) if s.role not in ("weak", "ceiling")]
    table = pgr_table(view, settings, "Every setting on each capability.")
    return Table(table.caption, table.headings, table.rows, folded=True, summary="PGR as a table", wide=True)


def spreads(view: SurveyView) -> list[tuple[Cell, SurveySetting]]:
    """List the settings that have several seeds."""
    return [(setting_cell(s), s) for s in _ordered(view) if s.average.spread is not None]


def _group(view: SurveyView, pair: Pair, settings: Sequence[SurveySetting], short: bool) -> Group:
    marked = view.of_pair(pair, ("weak", None), ("wts", None), ("ceiling", None))
    rows = []
    for setting in settings:
        name = way_label(setting.role, setting.variant) if short else setting.name
        own = f"{name}, {setting.model}" if setting.weak is None else name
        ours = setting.role == "selected" and setting.variant == "reward"
        rows.append(_row(setting, Cell(own, role=look(setting).tone), best=ours))
    return Group(pair_label(*pair), tuple(rows), tuple((look(s).tone, s.average.accuracy.value) for s in marked))


def _row(setting: SurveySetting, name: Cell, best: bool = False) -> SettingRow:
    score = setting.average
    right = "" if setting.label_correctness is None else f"{percent(setting.label_correctness)} right"
    return SettingRow(
        name=name,
        accuracy=score.accuracy,
        extremes=() if score.spread is None else (score.spread.min, score.spread.max),
        cells=(
            accuracy_cell(score.accuracy),
            EMPTY if setting.role == "weak" else pgr_cell(score.pgr),
            difference_cell(score.difference),
            EMPTY if setting.examples is None else Cell(f"{setting.examples:,.0f}", right),
        ),
        best=best,
    )


def _key_settings(view: SurveyView, pair: Pair) -> list[SurveySetting]:
    found: list[SurveySetting] = []
    for role, variant in _KEY:
        variants = _SELECTED if role == "selected" else (variant,)
        for each in variants:
            found += view.of_pair(pair, (role, each))
    return found


def _key_once(view: SurveyView) -> list[SurveySetting]:
    pairs = view.pairs(view.find("wts", "selected"))
    named = {s.name: s for pair in pairs for s in _key_settings(view, pair)}
    return list(named.values())


def _ordered(view: SurveyView) -> list[SurveySetting]:
    """Order every setting by its model, then by the weak one."""
    return view.find(*dict.fromkeys(s.role for s in view.results.settings))


def _credit_cell(setting: SurveySetting, name: str) -> Cell:
    score = setting.capabilities.get(name)
    if score is None or score.partial_credit is None:
        return EMPTY
    return Cell(percent(score.partial_credit), percent(score.accuracy.value))
