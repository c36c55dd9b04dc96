"""The HTML page: one file that asks nothing of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import jinja2
import yaml

from w2s_jobs.contracts.estimates import Accuracy
from w2s_jobs.contracts.report import ReportParams
from w2s_jobs.contracts.results import Results, SettingResult
from w2s_jobs.core.analysis.words import (
    interval_words,
    percent,
    pgr_range,
    points,
    setting_label,
    thresholds_label,
)
from w2s_jobs.engines.reporting.ablation_views import filter_block, form_block, round_block
from w2s_jobs.engines.reporting.choice_views import choice_block
from w2s_jobs.engines.reporting.comparison_views import extra_test_block, published_block
from w2s_jobs.engines.reporting.history import History
from w2s_jobs.engines.reporting.loss_figure import loss_panels
from w2s_jobs.engines.reporting.palette import css_rules
from w2s_jobs.engines.reporting.sections import Section
from w2s_jobs.engines.reporting.sweep_views import composition_blocks, label_block, threshold_blocks

__all__ = ["render_page"]


@dataclass(frozen=True)
class _Scale:
    """The common axis of the small interval drawings in the tables."""

    low: float
    high: float

    def at(self, value: float) -> str:
        """Return the place of a value in percent of the width."""
        share = (value - self.low) / (self.high - self.low)
        return f"{100 * min(max(share, 0.0), 1.0):.2f}"

    def width(self, low: float, high: float) -> str:
        """Return the width between two values in percent of the whole."""
        return f"{float(self.at(high)) - float(self.at(low)):.2f}"

    def ticks(self) -> list[float]:
        """Return round values inside the axis, at most five."""
        step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25) if (self.high - self.low) / s <= 5)
        first = int(self.low / step) + (self.low > 0)
        return [k * step for k in range(first, int(self.high / step) + 1)]


def render_page(params: ReportParams, results: Results, losses: Mapping[str, Sequence[float]], history: History) -> str:
    """Render `report.html`. Everything but cost, versions and checksums depends on `results` alone."""
    template = _environment().get_template("report.html.j2")
    return template.render(
        results=results,
        style=_read("report.css"),
        light=css_rules(dark=False),
        dark=css_rules(dark=True),
        key_settings=_key_settings(results),
        scale=_scale(results),
        level=f"{100 * results.confidence_level:g}%",
        sections=_sections(results),
        loss_panels=loss_panels(results, losses),
        cost=history.cost(),
        history=history,
        manifest=yaml.safe_dump(params.manifest, sort_keys=False, allow_unicode=True, width=100),
    )


def _sections(results: Results) -> list[Section]:
    """Build the sections of the analyses; one without data is left out, and the page says why."""
    ablations = (filter_block(results), round_block(results), form_block(results))
    built = (
        ("thresholds", "Thresholds", "Accuracy and gap recovered against the threshold", threshold_blocks(results)),
        ("choices", "Chosen thresholds", "Thresholds chosen without gold", [choice_block(results)]),
        ("labels", "What the filter keeps", "What the filter keeps", [label_block(results)]),
        ("composition", "Difficulty and topics", "Difficulty and topics", composition_blocks(results)),
        (
            "ablations",
            "Filter, rounds, reasoning",
            "Worth of the filter, further rounds and reasoning",
            ablations,
        ),
        ("tests", "Test sets", "A small and a large test set", [extra_test_block(results)]),
        ("published", "Published", "The paper's numbers beside this run's", [published_block(results)]),
    )
    sections = [
        Section(name, nav, title, tuple(block for block in blocks if block is not None))
        for name, nav, title, blocks in built
    ]
    return [section for section in sections if section.blocks]


def _key_settings(results: Results) -> list[SettingResult]:
    """Choose what the first table shows: baselines and the best setting of each round."""
    best = {choice.name for choice in results.best if choice.round is not None}
    return [s for s in results.settings if s.role in ("weak", "conventional", "ceiling") or s.name in best]


def _scale(results: Results) -> _Scale:
    accuracies = [setting.accuracy for setting in results.settings]
    low, high = min(map(_low, accuracies)), max(map(_high, accuracies))
    margin = max(0.01, 0.04 * (high - low))
    return _Scale(max(0.0, low - margin), min(1.0, high + margin))


def _low(accuracy: Accuracy) -> float:
    return accuracy.value if accuracy.interval is None else accuracy.interval.low


def _high(accuracy: Accuracy) -> float:
    return accuracy.value if accuracy.interval is None else accuracy.interval.high


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_read),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "percent": percent,
        "points": points,
        "interval_words": interval_words,
        "pgr_range": pgr_range,
        "label": setting_label,
        "thresholds": thresholds_label,
        "duration": _duration,
    }
    return environment


def _read(name: str) -> str:
    return files("w2s_jobs.engines.reporting").joinpath(name).read_text(encoding="utf-8")


def _duration(seconds: float) -> str:
    """Write a length of time: `12 s`, `3 min`, `1 h 05 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes:02} min" if hours else f"{minutes} min"
