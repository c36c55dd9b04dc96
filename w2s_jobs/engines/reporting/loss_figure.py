"""Training losses: each against the share of its own optimizer steps, because trainings differ in length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from w2s_jobs.contracts.results import Results
from w2s_jobs.engines.reporting.canvas import EndLabel, Panel, draw, label_ends, new_axes, percent_axis
from w2s_jobs.engines.reporting.palette import MUTED, ROLE

__all__ = ["loss_panels"]

_MOST_VERTICES = 120


def loss_panels(results: Results, losses: Mapping[str, Sequence[float]]) -> list[Panel]:
    """Draw every training: baselines and the best setting in colour, the others behind them."""
    curves = [entry for entry in results.losses if len(losses.get(entry.train, ())) > 1]
    if not curves:
        return []
    roles = {p.id: p.role for p in results.points}
    best = next((c.name for c in results.best if c.round is None), "")
    figure, axes = new_axes(height=3.2)
    labels: dict[str, EndLabel] = {}
    highest: list[float] = []
    for entry in curves:
        role, chosen = roles.get(entry.name, ""), best and entry.name.startswith(f"{best}/seed")
        front = role in ("ceiling", "conventional") or bool(chosen)
        colour = ROLE[role] if front else MUTED
        xs, ys = _thinned(losses[entry.train])
        axes.plot(xs, ys, color=colour, linewidth=1.5 if front else 0.7, alpha=1 if front else 0.45, zorder=2 + front)
        if front:
            highest.append(float(ys.max()))
            name = "best" if chosen else role
            labels.setdefault(name, EndLabel(float(ys[-1]), f"{name} {entry.last:.3g}", colour))
    axes.set_xlabel("share of the training's optimizer steps")
    axes.set_xlim(0, 1)
    # Pretraining begins far higher than what the figure is about; it may leave at the top.
    axes.set_ylim(0, 1.08 * max(highest, default=max(max(losses[entry.train]) for entry in curves)))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    percent_axis(axes, "x")
    label_ends(axes, list(labels.values()))
    title = f"Training loss of {len(curves)} training{'s' if len(curves) > 1 else ''}"
    ends = "; ".join(f"{e.name} from {e.first:.3g} to {e.last:.3g}" for e in curves[:6])
    return [draw(figure, "loss", title, f"{title}. {ends}{'; and others' if len(curves) > 6 else ''}.")]


def _thinned(curve: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Average neighbours, so that a long training stays a line and the page stays small."""
    values = np.asarray(curve, dtype=np.float64)
    parts = np.array_split(values, min(len(values), _MOST_VERTICES))
    return np.linspace(0, 1, len(parts)), np.array([part.mean() for part in parts])
