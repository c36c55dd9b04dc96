"""Levels and topics of what was kept, and accuracy within them (paper `confidence`, fig. 5 to 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from w2s_jobs.contracts.analyses import Composition, GroupAccuracy, Mix
from w2s_jobs.contracts.results import Results, SettingResult
from w2s_jobs.core.analysis.words import percent, points, setting_label, threshold_word
from w2s_jobs.engines.reporting.canvas import (
    EndLabel,
    Panel,
    draw,
    halo,
    label_ends,
    new_axes,
    percent_axis,
    points_axis,
)
from w2s_jobs.engines.reporting.palette import INK, MUTED, PAPER, ROLE, categories, sequence

__all__ = ["composition_panels", "group_panels"]

_MOST_GROUPS = 10


@dataclass(frozen=True)
class _Bar:
    """One training set; what is no threshold of the panel's round stands apart."""

    label: str
    x: float
    mix: Mix


@dataclass(frozen=True)
class _View:
    """One panel: the sweep of one round."""

    key: str
    where: str
    axis: str
    bars: tuple[_Bar, ...]
    sweep: tuple[int, int]
    """first and last bar (exclusive) of the sweep, which a line may join"""


def composition_panels(results: Results, composition: Composition) -> list[Panel]:
    """Draw what filtering does to the difficulty or the topics of the training set, one panel a round."""
    views = [view for view in (_first_round(composition), _second_round(results, composition)) if view is not None]
    draw_view = _levels if composition.by == "level" else _topics
    return [draw_view(composition, view) for view in views]


def group_panels(results: Results, groups: GroupAccuracy) -> list[Panel]:
    """Draw accuracy within each level or topic of the test questions."""
    return [_accuracy(results, groups)]


def _first_round(composition: Composition) -> _View | None:
    """Show all questions, then every threshold of round 1."""
    bars = [_Bar("all", 0.0, composition.mixes[0])]
    for mix in composition.mixes:
        if mix.name.startswith("round1/") and any(mix.counts):
            bars.append(_Bar(threshold_word(mix.thresholds[0]), len(bars) + 0.3, mix))
    if len(bars) == 1:
        return None
    return _View("1", "round 1", "confidence threshold of round 1", tuple(bars), (0, len(bars)))


def _second_round(results: Results, composition: Composition) -> _View | None:
    """Show all questions, round 1 at the threshold that the best of round 2 goes on from, and every branch of it."""
    chosen = next((choice.name for choice in results.best if choice.round == 2), None)
    mixes = {mix.name: mix for mix in composition.mixes}
    if chosen not in mixes:
        return None
    first = mixes[chosen].thresholds[0]
    bars = [_Bar("all", 0.0, composition.mixes[0])]
    if (before := mixes.get(f"round1/t{first}")) is not None and any(before.counts):
        bars.append(_Bar("round 1", 1.3, before))
    start = len(bars)
    for mix in composition.mixes:
        if mix.name.startswith("round2/") and mix.thresholds[0] == first and any(mix.counts):
            bars.append(_Bar(threshold_word(mix.thresholds[1]), len(bars) + 0.6, mix))
    later = [m for m in composition.mixes if m.name in {c.name for c in results.best if (c.round or 0) > 2}]
    end = len(bars)
    for mix in later:
        if any(mix.counts):
            bars.append(_Bar(" → ".join(map(str, mix.thresholds)), len(bars) + 0.9, mix))
    where = f"round 2, t₁ = {threshold_word(first)}"
    return _View("2", where, "confidence threshold of round 2", tuple(bars), (start, end))


def _levels(composition: Composition, view: _View) -> Panel:
    shown = view.bars
    figure, axes = new_axes(height=3.4)
    colours = sequence(range(len(composition.groups)))
    for bar in shown:
        mix = bar.mix
        bottom, total = 0.0, sum(mix.counts)
        for level, count in enumerate(mix.counts):
            axes.bar(bar.x, count / total, 0.78, bottom, color=colours[level], edgecolor=PAPER, linewidth=0.8)
            bottom += count / total
        if mix.mean is not None:
            axes.text(bar.x, 1.015, f"{mix.mean:.2f}", ha="center", va="bottom", fontsize=9.5, color=INK)
    last = shown[-1].mix.counts
    edges = [sum(last[:i]) / sum(last) for i in range(len(last) + 1)]
    labels = [
        EndLabel((edges[i] + edges[i + 1]) / 2, f"level {name}", colours[i])
        for i, name in enumerate(composition.groups)
    ]
    _bars_axis(axes, view)
    axes.set_ylim(0, 1.08)
    percent_axis(axes)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    label_ends(axes, labels)
    title = f"Difficulty after {view.where} (mean level above)"
    spoken = "; ".join(f"{b.label}: mean level {b.mix.mean:.2f}" for b in shown if b.mix.mean is not None)
    return draw(figure, f"levels{view.key}", title, f"{title} against the threshold. {spoken}.")


def _topics(composition: Composition, view: _View) -> Panel:
    """Draw how far each topic's share moves away from its share in all questions."""
    shown = view.bars
    figure, axes = new_axes(height=3.4)
    groups = composition.groups[:_MOST_GROUPS]
    colours = categories(groups)
    whole, (start, end) = shown[0].mix, view.sweep
    xs = [bar.x for bar in shown]
    labels, changes = [], {}
    for index, group in enumerate(groups):
        base = whole.counts[index] / sum(whole.counts)
        ys = [bar.mix.counts[index] / sum(bar.mix.counts) - base for bar in shown]
        axes.plot(xs, ys, "-", color=colours[group], linewidth=0.8, alpha=0.5)
        axes.plot(xs[start:end], ys[start:end], "-", color=colours[group])
        axes.plot(xs, ys, "o", color=colours[group], markersize=4.5, **halo())
        labels.append(EndLabel(ys[-1], f"{_short(group)} {points(ys[-1])}", colours[group]))
        changes[group] = ys[-1]
    axes.axhline(0, color=MUTED, linewidth=1)
    _bars_axis(axes, view)
    points_axis(axes.yaxis)
    label_ends(axes, labels, 9)
    title = f"Topics after {view.where}: change of share, points"
    spoken = "; ".join(f"{group} {points(change)}" for group, change in changes.items())
    return draw(figure, f"topics{view.key}", title, f"{title}, at {shown[-1].label} against all questions: {spoken}.")


def _accuracy(results: Results, groups: GroupAccuracy) -> Panel:
    """Draw accuracy within each level or topic for the baselines and the best setting."""
    overall = next((choice.name for choice in results.best if choice.round is None), None)
    shown = [
        s for s in results.settings if s.role in ("weak", "conventional", "ceiling") or s.name == overall
    ]  # in the order of the settings
    figure, axes = new_axes(height=3.4 if groups.by == "level" else 0.9 + 0.34 * len(groups.groups[:_MOST_GROUPS]))
    names = groups.groups[:_MOST_GROUPS]
    title = f"Accuracy by {groups.by} of the test question"
    if groups.by == "level":
        _by_level(axes, groups, shown)
    else:
        _by_topic(axes, names, groups, shown)
    spoken = "; ".join(
        f"{_name(s)}: {', '.join(f'{n} {percent(v, 0)}' for n, v in _pairs(names, groups, s))}" for s in shown
    )
    return draw(figure, f"accuracy-{groups.by}", title, f"{title}. {spoken}.")


def _by_level(axes: Axes, groups: GroupAccuracy, shown: Sequence[SettingResult]) -> None:
    labels = []
    for setting in shown:
        values = groups.accuracy[setting.name]
        axes.plot(range(len(values)), values, "-o", color=ROLE[setting.role], markersize=5.5, **halo())
        labels.append(EndLabel(values[-1], _name(setting), ROLE[setting.role]))
    ticks = [f"{name}\nn={count}" for name, count in zip(groups.groups, groups.questions, strict=True)]
    axes.set_xticks(range(len(ticks)), ticks)
    axes.set_xlabel("level")
    percent_axis(axes)
    label_ends(axes, labels)


def _by_topic(axes: Axes, names: Sequence[str], groups: GroupAccuracy, shown: Sequence[SettingResult]) -> None:
    for setting in shown:
        values = groups.accuracy[setting.name][: len(names)]
        axes.plot(values, range(len(values)), "o", color=ROLE[setting.role], markersize=6.5, label=_name(setting))
    axes.set_yticks(range(len(names)), [_short(name) for name in names])
    axes.invert_yaxis()
    axes.grid(visible=True, axis="both")
    percent_axis(axes, "x")
    axes.legend(
        frameon=False,
        labelcolor=INK,
        fontsize=9,
        ncols=2,
        loc="lower left",
        bbox_to_anchor=(-0.02, 1),
        handletextpad=0.1,
    )


def _bars_axis(axes: Axes, view: _View) -> None:
    shown = view.bars
    crowded = len(shown) > 7
    labels = [bar.label for bar in shown]
    axes.set_xticks(
        [bar.x for bar in shown], labels, rotation=40 if crowded else 0, ha="right" if crowded else "center"
    )
    axes.set_xlabel(view.axis)


def _pairs(names: Sequence[str], groups: GroupAccuracy, setting: SettingResult) -> list[tuple[str, float]]:
    return list(zip(names, groups.accuracy[setting.name], strict=False))


def _name(setting: SettingResult) -> str:
    return "best setting" if setting.role == "round" else setting_label(setting).lower()


def _short(name: str) -> str:
    return name if len(name) <= 16 else name[:15] + "…"
