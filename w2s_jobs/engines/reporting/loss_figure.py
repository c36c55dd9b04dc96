"""Training losses: each against the share of its own optimizer steps, because trainings differ in length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator

from w2s_jobs.contracts.analyses import LossEnds
from w2s_jobs.contracts.results import Results
from w2s_jobs.engines.reporting.canvas import EndLabel, Panel, draw, label_ends, new_axes, percent_axis
from w2s_jobs.engines.reporting.palette import MUTED, ROLE

__all__ = ["Curve", "draw_losses", "loss_panels"]

_MOST_VERTICES = 120
_VERTICES_TOGETHER = 6000
"""Many trainings share these, so that the page stays small."""


@dataclass(frozen=True)
class Curve:
    """One training, and how it stands out."""

    ends: LossEnds
    label: str = ""
    """label, the same for trainings of one kind; nothing for those in the background"""
    colour: str = MUTED


def loss_panels(results: Results, losses: Mapping[str, Sequence[float]]) -> list[Panel]:
    """Draw every training of a sweep: baselines and the best setting in colour, the others behind them."""
    roles = {p.id: p.role for p in results.points}
    best = next((c.name for c in results.best if c.round is None), "")
    curves = []
    for entry in results.losses:
        role, chosen = roles.get(entry.name, ""), best and entry.name.startswith(f"{best}/seed")
        front = role in ("ceiling", "conventional") or bool(chosen)
        curves.append(Curve(entry, "best" if chosen else role, ROLE[role]) if front else Curve(entry))
    return draw_losses(curves, losses)


def draw_losses(every: Sequence[Curve], losses: Mapping[str, Sequence[float]]) -> list[Panel]:
    """Draw the trainings that left a curve; losses are by the key of the training."""
    curves = [curve for curve in every if len(losses.get(curve.ends.train, ())) > 1]
    if not curves:
        return []
    figure, axes = new_axes(height=3.2)
    labels: dict[str, EndLabel] = {}
    highest: list[float] = []
    for curve in curves:
        front = bool(curve.label)
        xs, ys = _thinned(losses[curve.ends.train], min(_MOST_VERTICES, _VERTICES_TOGETHER // len(curves)))
        axes.plot(
            xs, ys, color=curve.colour, linewidth=1.5 if front else 0.7, alpha=1 if front else 0.45, zorder=2 + front
        )
        if front:
            highest.append(float(ys.max()))
            labels.setdefault(
                curve.label, EndLabel(float(ys[-1]), f"{curve.label} {curve.ends.last:.3g}", curve.colour)
            )
    axes.set_xlabel("share of the training's optimizer steps")
    axes.set_xlim(0, 1)
    # Pretraining begins far higher than what the figure is about; it may leave at the top.
    axes.set_ylim(0, 1.08 * max(highest, default=max(max(losses[curve.ends.train]) for curve in curves)))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    percent_axis(axes, "x")
    label_ends(axes, list(labels.values()))
    title = f"Training loss of {len(curves)} training{'s' if len(curves) > 1 else ''}"
    ends = "; ".join(f"{c.ends.name} from {c.ends.first:.3g} to {c.ends.last:.3g}" for c in curves[:6])
    return [draw(figure, "loss", title, f"{title}. {ends}{'; and others' if len(curves) > 6 else ''}.")]


def _thinned(curve: Sequence[float], most: int) -> tuple[np.ndarray, np.ndarray]:
    """Average neighbours, so that a long training stays a line and the page stays small."""
    values = np.asarray(curve, dtype=np.float64)
    parts = np.array_split(values, max(1, min(len(values), most)))
    return np.linspace(0, 1, len(parts)), np.array([part.mean() for part in parts])
