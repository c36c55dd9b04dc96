"""The frame that every page has: styles, words for numbers, cost, manifest, versions. Pages fill its blocks."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import jinja2
import yaml

from w2s_jobs.core.analysis.words import (
    interval_words,
    percent,
    pgr_range,
    points,
    setting_label,
    thresholds_label,
)
from w2s_jobs.engines.reporting.history import History
from w2s_jobs.engines.reporting.palette import css_rules

__all__ = ["fill_page"]

_FRAME = "w2s_jobs.engines.reporting"
_FILTERS: Mapping[str, Any] = {
    "percent": percent,
    "points": points,
    "interval_words": interval_words,
    "pgr_range": pgr_range,
    "label": setting_label,
    "thresholds": thresholds_label,
}


def fill_page(package: str, template: str, manifest: Mapping[str, Any], history: History, own: dict[str, Any]) -> str:
    """Fill a template of a package that extends `base.html.j2`.

    Parameters
    ----------
    package
        Package beside whose modules the template lies.
    template
        Name of the template's file.
    manifest
        Manifest as compiled, shown for who wants to do it again.
    history
        How the steps went.
    own
        What the page is about: `results`, `sections`, `omitted`, `loss_panels`, `losses_caption`, `level`, and what
        its own blocks name.
    """
    return (
        _environment(package)
        .get_template(template)
        .render(
            style=_read(_FRAME, "report.css"),
            light=css_rules(dark=False),
            dark=css_rules(dark=True),
            cost=history.cost(),
            history=history,
            manifest=yaml.safe_dump(dict(manifest), sort_keys=False, allow_unicode=True, width=100),
            **own,
        )
    )


def _environment(package: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: _find(package, name) or _find(_FRAME, name)),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {**_FILTERS, "duration": _duration}
    return environment


def _find(package: str, name: str) -> str | None:
    """Return the text of a template, or nothing where the package has none of that name."""
    return _read(package, name) if files(package).joinpath(name).is_file() else None


def _read(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")


def _duration(seconds: float) -> str:
    """Write a length of time: `12 s`, `3 min`, `1 h 05 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes:02} min" if hours else f"{minutes} min"
