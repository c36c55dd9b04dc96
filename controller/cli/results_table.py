"""The table of results, as `w2s run` and `w2s report` print it."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from w2s_jobs.contracts.estimates import Bounds, Difference, PgrResult
from w2s_jobs.contracts.results import Gap, Results, SettingResult, TrainingSet

__all__ = ["render_results"]

_NAMES = {
    "weak": "weak model",
    "ceiling": "ceiling (gold labels)",
    "conventional": "conventional",
    "unfiltered": "unfiltered",
    "direct": "direct answers",
    "direct-ceiling": "direct answers, ceiling",
}


def render_results(results: dict[str, Any]) -> Table:
    """Build the table of a `results.json`: one row a setting, seeds taken together."""
    parsed = Results.model_validate(results)
    table = Table(
        title=Text(parsed.verdict.headline, style="bold"),
        title_justify="left",
        caption=_caption(parsed),
        caption_justify="left",
    )
    table.add_column("setting", no_wrap=True)
    for heading in ("accuracy %", "PGR %", "vs conventional", "examples", "labels right %"):
        table.add_column(heading, justify="right")
    best = {choice.name for choice in parsed.best if choice.round is None}
    for setting in parsed.settings:
        table.add_row(*_cells(setting, parsed.gap), style="bold" if setting.name in best else None)
    return table


def _caption(results: Results) -> str:
    level = f"{100 * results.confidence_level:g}%"
    text = f"{results.test_questions:,} test questions; in brackets the {level} interval over them; "
    text += "* differs from conventional beyond it"
    return text if results.gap.certain or results.gap.reason is None else f"{text}\nPGR: {results.gap.reason}"


def _cells(setting: SettingResult, gap: Gap) -> tuple[str, ...]:
    accuracy = f"{_percent(setting.accuracy.value)}{_bounds(setting.accuracy.interval)}"
    return (
        _name(setting),
        accuracy,
        _pgr(setting.pgr, gap),
        _difference(setting.difference),
        *_training(setting.training),
    )


def _name(setting: SettingResult) -> str:
    if setting.role == "round":
        name = f"round {len(setting.thresholds)}, t = " + " → ".join(map(str, setting.thresholds))
    else:
        name = _NAMES.get(setting.role, setting.role)
        name += f", t = {setting.thresholds[0]}" if setting.thresholds else ""
    return f"{name} ({len(setting.seeds)} seeds)" if len(setting.seeds) > 1 else name


def _pgr(pgr: PgrResult, gap: Gap) -> str:
    if pgr.value is None:
        return "undefined"
    return "no gap" if not gap.certain else f"{100 * pgr.value:.0f}{_bounds(pgr.interval, 0)}"


def _difference(difference: Difference | None) -> str:
    if difference is None:
        return ""
    mark = "*" if difference.better or difference.worse else ""
    return f"{100 * difference.value:+.1f}{mark}{_bounds(difference.interval)}"


def _training(training: TrainingSet | None) -> tuple[str, str]:
    if training is None:
        return "", ""
    right = training.label_correctness
    return f"{training.size:,.0f}", "" if right is None else _percent(right)


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _bounds(bounds: Bounds | None, digits: int = 1) -> str:
    # The bracket must not open rich's markup, which takes `[` followed by a letter or `/`; a number is safe.
    return "" if bounds is None else f" [{100 * bounds.low:.{digits}f}, {100 * bounds.high:.{digits}f}]"
