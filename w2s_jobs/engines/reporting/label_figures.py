"""Label correctness and coverage against the threshold (paper `confidence`, fig. 3)."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from w2s_jobs.contracts.analyses import ThresholdLabels
from w2s_jobs.contracts.results import Results, SettingResult
from w2s_jobs.contracts.settings import Threshold
from w2s_jobs.core.analysis.points import threshold_order
from w2s_jobs.core.analysis.words import percent, thresholds_label
from w2s_jobs.engines.reporting.canvas import EndLabel, Panel, draw, halo, label_ends, new_axes, percent_axis
from w2s_jobs.engines.reporting.palette import INK, MUTED, ROLE
from w2s_jobs.engines.reporting.threshold_figures import first_colours

__all__ = ["label_panels"]

_COLOURS_UP_TO = 8


def label_panels(results: Results) -> list[Panel]:
    """Draw correctness and coverage of what is kept: the whole curve of the votes, and what was trained on."""
    panels = []
    if any(row.label_correctness is not None for row in results.threshold_labels):
        panels.append(_votes_panel(results, "correctness", "Right labels among the kept"))
    if results.threshold_labels:
        panels.append(_votes_panel(results, "coverage", "Questions kept"))
    later = [
        s
        for s in results.settings
        if s.role == "round" and len(s.thresholds) > 1 and isinstance(s.thresholds[-1], int) and s.training is not None
    ]
    if any(s.training is not None and s.training.label_correctness is not None for s in later):
        panels.append(_later_panel(results, later, "correctness", "Right labels in the training set, later rounds"))
    if later:
        panels.append(_later_panel(results, later, "coverage", "Training set after later rounds"))
    return panels


def _votes_panel(results: Results, what: str, title: str) -> Panel:
    figure, axes = new_axes(height=3.0)
    by_seed: dict[int, list[ThresholdLabels]] = {}
    for row in results.threshold_labels:
        by_seed.setdefault(row.seed, []).append(row)
    trained = {s.thresholds[0] for s in results.settings if s.role == "round" and len(s.thresholds) == 1}
    ends: list[tuple[int, float]] = []
    for rows in by_seed.values():
        known = [(row.threshold, value) for row in rows if (value := _of_row(row, what)) is not None]
        if not known:
            continue
        axes.plot(*zip(*known, strict=True), "-", color=ROLE["round"], linewidth=1.8 if len(by_seed) == 1 else 1.2)
        marked = [(x, y) for x, y in known if x in trained]
        if marked:
            axes.plot(*zip(*marked, strict=True), "o", color=ROLE["round"], markersize=6, **halo())
        ends = ends or known
    labels = [EndLabel(ends[-1][1], percent(ends[-1][1]), ROLE["round"])] if ends else []
    reference = _conventional(results, what)
    if reference is not None:
        axes.axhline(reference, color=ROLE["conventional"], linewidth=1.3, linestyle=(0, (5, 3)))
        labels.append(EndLabel(reference, f"unfiltered {percent(reference)}", ROLE["conventional"]))
    axes.set_xlabel("confidence threshold of round 1 (dots: trained on)")
    axes.set_xlim(0, 103)
    axes.set_xticks(range(0, 101, 20), [f"{x}%" for x in range(0, 101, 20)])
    _finish(axes, [y for _, y in ends] + [label.y for label in labels], labels)
    spoken = f"From {percent(ends[0][1])} at {ends[0][0]}% to {percent(ends[-1][1])} at {ends[-1][0]}%." if ends else ""
    return draw(figure, f"votes-{what}", title, f"{title} against the threshold of round 1. {spoken}")


def _later_panel(results: Results, settings: Sequence[SettingResult], what: str, title: str) -> Panel:
    figure, axes = new_axes(height=3.0)
    colours = first_colours(results)
    lines: dict[tuple[Threshold, ...], list[tuple[int, float]]] = {}
    for setting in settings:
        value, last = _of_training(setting, what), setting.thresholds[-1]
        if value is not None and isinstance(last, int):
            lines.setdefault(setting.thresholds[:-1], []).append((last, value))
    many = len(lines) > _COLOURS_UP_TO
    labels = []
    for prefix, marks in sorted(lines.items(), key=lambda line: threshold_order(line[0])):
        colour = MUTED if many else colours.get(prefix[0], ROLE["round"])
        axes.plot(*zip(*sorted(marks), strict=True), "-o", color=colour, markersize=5.5, **halo())
        if not many:
            labels.append(EndLabel(max(marks)[1], thresholds_label(prefix), colour))
    xs = sorted({x for marks in lines.values() for x, _ in marks})
    margin = max(4.0, 0.06 * (xs[-1] - xs[0]))
    axes.set_xlim(xs[0] - margin, xs[-1] + margin)
    axes.set_xticks(xs, [f"{x}%" for x in xs])
    axes.set_xlabel("confidence threshold of the last round")
    values = [y for marks in lines.values() for _, y in marks]
    _finish(axes, values, labels)
    spoken = f"Between {percent(min(values))} and {percent(max(values))}."
    return draw(figure, f"later-{what}", title, f"{title}. {spoken}")


def _finish(axes: Axes, values: Sequence[float], labels: Sequence[EndLabel]) -> None:
    percent_axis(axes)
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = max(0.02, 0.07 * (high - low))
    axes.set_ylim(max(0.0, low - margin), min(1.03, high + margin))
    axes.tick_params(labelcolor=INK)
    label_ends(axes, labels)


def _of_row(row: ThresholdLabels, what: str) -> float | None:
    return row.coverage if what == "coverage" else row.label_correctness


def _of_training(setting: SettingResult, what: str) -> float | None:
    if setting.training is None:
        return None
    return setting.training.coverage if what == "coverage" else setting.training.label_correctness


def _conventional(results: Results, what: str) -> float | None:
    if what == "coverage":
        return None
    found = next((s for s in results.settings if s.role == "conventional"), None)
    return None if found is None else _of_training(found, what)
