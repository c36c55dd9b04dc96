"""The tables of results, as `w2s run` and `w2s report` print them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from controller.cli.survey_table import render_survey
from w2s_jobs.contracts.analyses import ChosenResult, Published, PublishedPair
from w2s_jobs.contracts.estimates import Bounds, Difference, PgrResult
from w2s_jobs.contracts.results import Gap, Results, SettingResult, TrainingSet
from w2s_jobs.contracts.settings import Threshold

__all__ = ["render_results", "render_tables"]

_NAMES = {
    "weak": "weak model",
    "ceiling": "ceiling (gold labels)",
    "conventional": "conventional",
    "unfiltered": "round 2 without filter",
    "direct": "direct answers",
    "direct-weak": "direct answers, weak model",
    "direct-ceiling": "direct answers, ceiling",
}


def render_tables(results: dict[str, Any]) -> list[Table]:
    """Build the tables of a `results.json`.

    Of a sweep: the settings, and the thresholds that rules chose, where there are any. Of a survey: those of
    `survey_table`.
    """
    if results.get("form") == "survey":
        return render_survey(results)
    parsed = Results.model_validate(results)
    tables = [render_results(results)]
    if parsed.choices:
        tables.append(_choices(parsed))
    return tables


def render_results(results: dict[str, Any]) -> Table:
    """Build the table of settings: one row a setting, seeds taken together."""
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
    published = _by_setting(parsed.published)
    if published:
        table.add_column("paper: accuracy, PGR", justify="right")
    best = {choice.name for choice in parsed.best if choice.round is None}
    for setting in parsed.settings:
        cells = _cells(setting, parsed.gap)
        if published:
            cells += (_published(published.get((setting.role, setting.thresholds))),)
        table.add_row(*cells, style="bold" if setting.name in best else None)
    return table


def _caption(results: Results) -> str:
    level = f"{100 * results.confidence_level:g}%"
    seeds = " and seeds" if any(len(s.seeds) > 1 for s in results.settings) else ""
    text = f"{results.test_questions:,} test questions; in brackets the {level} interval over them{seeds}; "
    text += "* differs from conventional beyond it"
    if results.published is not None:
        text += f"\npaper: published for {results.published.setting}, without intervals"
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


def _choices(results: Results) -> Table:
    """One row a rule and branch: the mean over seeds where there are several."""
    means = [choice for choice in results.choices if choice.seed is None]
    paired = {(choice.after, choice.rule) for choice in means}
    shown = [c for c in results.choices if c.seed is None or (c.after, c.rule) not in paired]
    table = Table(
        title=Text("Thresholds chosen without gold", style="bold"),
        title_justify="left",
        caption="regret: points that the best threshold of the sweep lies above the chosen one; * beyond its interval",
        caption_justify="left",
    )
    table.add_column("rule", no_wrap=True)
    for heading in ("chosen", "labels right %: expected", "by gold", "accuracy %", "best of sweep", "regret"):
        table.add_column(heading, justify="right")
    for choice in shown:
        table.add_row(*_choice(choice, results.choices))
    return table


def _choice(choice: ChosenResult, every: Sequence[ChosenResult]) -> tuple[str, ...]:
    accuracy, regret, best = "not trained", choice.reason or "", ""
    if choice.accuracy is not None:
        accuracy = f"{_percent(choice.accuracy.value)}{_bounds(choice.accuracy.interval)}"
    if choice.best_threshold is not None and choice.best_accuracy is not None:
        best = f"{_percent(choice.best_accuracy)} at {choice.best_threshold}"
    if choice.regret is not None:
        mark = "*" if choice.regret.better else ""
        regret = f"{100 * choice.regret.value:+.1f}{mark}{_bounds(choice.regret.interval)}"
    of_seeds = sorted(
        {c.threshold for c in every if (c.after, c.rule) == (choice.after, choice.rule) and c.seed is not None}
    )
    chosen = "/".join(f"{t:g}" for t in of_seeds) if choice.seed is None else f"{choice.threshold:g}"
    name = f"{_branch(choice.after)} → {choice.rule}" if choice.after else choice.rule
    return (
        f"round {len(choice.after) + 1}, {name}",
        chosen,
        _known(choice.estimated_correctness),
        _known(choice.correctness),
        accuracy,
        best,
        regret,
    )


def _name(setting: SettingResult) -> str:
    if setting.role == "round":
        name = f"round {len(setting.thresholds)}, t = {_branch(setting.thresholds)}"
    else:
        name = _NAMES.get(setting.role, setting.role)
        name += f", t = {setting.thresholds[0]}" if setting.thresholds else ""
    return f"{name} ({len(setting.seeds)} seeds)" if len(setting.seeds) > 1 else name


def _branch(thresholds: tuple[Threshold, ...]) -> str:
    return " → ".join(map(str, thresholds))


def _by_setting(published: Published | None) -> dict[tuple[str, tuple[Threshold, ...]], PublishedPair]:
    pairs = () if published is None else published.pairs
    return {(pair.role, pair.thresholds): pair for pair in pairs if pair.test_set == "test"}


def _published(pair: PublishedPair | None) -> str:
    if pair is None:
        return ""
    recovered = "" if pair.published_pgr is None else f", {100 * pair.published_pgr:.0f}"
    return f"{_percent(pair.published_accuracy)}{recovered}"


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
    return f"{training.size:,.0f}", _known(training.label_correctness)


def _known(share: float | None) -> str:
    return "" if share is None else _percent(share)


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _bounds(bounds: Bounds | None, digits: int = 1) -> str:
    # The bracket must not open rich's markup, which takes `[` followed by a letter or `/`; a number is safe.
    return "" if bounds is None else f" [{100 * bounds.low:.{digits}f}, {100 * bounds.high:.{digits}f}]"
