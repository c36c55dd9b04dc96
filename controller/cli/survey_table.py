"""The tables of a survey's results: settings averaged over capabilities, and settings against capabilities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from rich.table import Table
from rich.text import Text

from w2s_jobs.contracts.estimates import Bounds, Difference, PgrResult
from w2s_jobs.contracts.survey_results import SurveyResults, SurveyScore, SurveySetting

__all__ = ["render_survey"]

_NAMES = {
    "weak": "weak model",
    "ceiling": "ceiling (gold labels)",
    "in-context": "in context (not trained)",
    "wts": "WTS (all weak labels)",
    "wts-single": "WTS-S (a model a capability)",
    "wts-2": "WTS-2 (its own labels)",
    "mixed": "weak and strong labels",
    "clean": "clean labels",
    "no-warm-up": "ours without warm-up",
}
_RULES = {
    "reward": "ours (reward model)",
    "confidence": "by confidence",
    "both": "by reward and confidence",
    "random": "random, as many as ours",
}


def render_survey(results: dict[str, Any]) -> list[Table]:
    """Build the two tables of a survey's `results.json`; seeds are taken together."""
    parsed = SurveyResults.model_validate(results)
    settings = _ordered(parsed)
    return [_settings(parsed, settings), _capabilities(parsed, settings)]


def _settings(results: SurveyResults, settings: list[SurveySetting]) -> Table:
    table = Table(
        title=Text(results.verdict.headline, style="bold"),
        title_justify="left",
        caption=_caption(results),
        caption_justify="left",
    )
    table.add_column("setting", no_wrap=True)
    for heading in ("accuracy %", "PGR %", "vs WTS", "examples", "labels right %"):
        table.add_column(heading, justify="right")
    for setting in _by_models(table, settings):
        table.add_row(_name(setting) + _seeds(setting), *_cells(setting), style="bold" if _is_ours(setting) else None)
    return table


def _capabilities(results: SurveyResults, settings: list[SurveySetting]) -> Table:
    table = Table(
        title=Text("Accuracy of each capability, %", style="bold"),
        title_justify="left",
        caption="* differs from WTS of the same models beyond its interval",
        caption_justify="left",
    )
    table.add_column("setting", no_wrap=True)
    table.add_column("average", justify="right")
    for capability in results.capabilities:
        table.add_column(Text(capability), justify="right")
    for setting in _by_models(table, settings):
        scores = [setting.average, *(setting.capabilities.get(name) for name in results.capabilities)]
        table.add_row(_name(setting), *map(_short, scores), style="bold" if _is_ours(setting) else None)
    return table


def _caption(results: SurveyResults) -> str:
    level = f"{100 * results.confidence_level:g}%"
    seeds = " and seeds" if any(len(s.seeds) > 1 for s in results.settings) else ""
    text = (
        f"{sum(results.test_questions.values()):,} test questions of {len(results.capabilities)} capabilities, each "
        f"weighing alike; in brackets the {level} interval over them{seeds}; * differs from WTS beyond it"
    )
    reasons = {s.average.pgr.reason for s in results.settings if s.role != "weak" and s.average.pgr.value is None}
    return "\n".join([text, *(f"PGR undefined: {reason}" for reason in sorted(filter(None, reasons)))])


def _ordered(results: SurveyResults) -> list[SurveySetting]:
    """Put what no weak model taught first, then one pair of models after the other; else keep the order."""
    place = {model: i for i, model in enumerate(results.models)}
    return sorted(
        results.settings, key=lambda s: (s.weak is not None, place[s.model], -1 if s.weak is None else place[s.weak])
    )


def _by_models(table: Table, settings: list[SurveySetting]) -> Iterator[SurveySetting]:
    """Yield the settings, and begin a section of the table with each pair of models."""
    for _, group in groupby(settings, key=lambda s: None if s.weak is None else (s.weak, s.model)):
        table.add_section()
        yield from group


def _name(setting: SurveySetting) -> Text:
    """Name a row. It is text, not markup: names are the user's, and may hold brackets."""
    models = setting.model if setting.weak is None else f"{setting.weak} → {setting.model}"
    return Text(f"{models}: {_way(setting)}")


def _seeds(setting: SurveySetting) -> Text:
    return Text(f" ({len(setting.seeds)} seeds)" if len(setting.seeds) > 1 else "")


def _way(setting: SurveySetting) -> str:
    role, variant = setting.role, setting.variant
    if role == "selected":
        return _RULES.get(variant, f"selected by {variant}")
    if role == "noise":
        return f"clean labels, {variant}% of the wrong"
    if role in ("weakened", "removed"):
        names = ", ".join(filter(None, re.split(r"[,+\s]+", variant)))
        return f"weakened: {names}" if role == "weakened" else f"without {names}"
    return _NAMES.get(role, role)


def _is_ours(setting: SurveySetting) -> bool:
    return setting.role == "selected" and setting.variant == "reward"


def _cells(setting: SurveySetting) -> tuple[str, ...]:
    score = setting.average
    return (
        f"{_percent(score.accuracy.value)}{_bounds(score.accuracy.interval)}",
        "" if setting.role == "weak" else _pgr(score.pgr),
        _difference(score.difference),
        "" if setting.examples is None else f"{setting.examples:,.0f}",
        "" if setting.label_correctness is None else _percent(setting.label_correctness),
    )


def _short(score: SurveyScore | None) -> str:
    if score is None:
        return ""
    differs = score.difference is not None and (score.difference.better or score.difference.worse)
    return f"{_percent(score.accuracy.value)}{'*' if differs else ''}"


def _pgr(pgr: PgrResult) -> str:
    return "undefined" if pgr.value is None else f"{_percent(pgr.value, 0)}{_bounds(pgr.interval, 0)}"


def _difference(difference: Difference | None) -> str:
    if difference is None:
        return ""
    mark = "*" if difference.better or difference.worse else ""
    return f"{100 * difference.value:+.1f}{mark}{_bounds(difference.interval)}"


def _percent(value: float, digits: int = 1) -> str:
    return f"{round(100 * value, digits) + 0.0:.{digits}f}"  # adding zero makes a rounded -0.0 a plain 0.0


def _bounds(bounds: Bounds | None, digits: int = 1) -> str:
    # The bracket must not open rich's markup, which takes `[` followed by a letter or `/`; a number is safe.
    return "" if bounds is None else f" [{_percent(bounds.low, digits)}, {_percent(bounds.high, digits)}]"
