"""`w2s plan FILE`: what would be done, what is there already, and what it would cost."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.placement_lines import placement_lines, placements_json
from controller.cli.store_option import choose_store, store_option

if TYPE_CHECKING:
    from controller.plan.estimate import Estimate
    from controller.plan.graph import Plan, Step

__all__ = ["command"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@store_option
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(file: Path, store: str | None, output: str) -> None:
    """Show the steps of an experiment, which of them exist already, and the estimated GPU-hours."""
    from controller.cli.experiment_file import read_plan  # --help must not wait for pydantic
    from controller.plan.estimate import estimate
    from controller.plan.placement.place import place_steps
    from w2s_jobs.store.open import open_store

    experiment, plan = read_plan(file)
    settings = choose_store(store, experiment)
    done = {ref.key for ref in open_store(settings).finished(step.ref for step in plan.steps)}
    costs = estimate(plan, experiment.spec)
    placed = place_steps(plan, experiment.spec)
    if output == "json":
        found = {**_as_json(plan, costs, done, settings.uri), "placements": placements_json(placed)}
        found["estimate"]["warnings"] += placed.warnings
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _print_table(plan, costs, done, settings.uri)
        for line in (*placement_lines(placed), *(f"warning: {warning}" for warning in placed.warnings)):
            click.echo(line)


def _as_json(plan: Plan, costs: Estimate, done: set[str], uri: str) -> dict[str, Any]:
    steps = []
    for step in plan.steps:
        cost = costs.steps[step.key]
        steps.append({**step.to_json(), "exists": step.key in done, "gpuHours": cost.gpu_hours, "price": cost.price})
    return {
        **plan.to_json(),
        "steps": steps,
        "store": uri,
        "estimate": {
            "gpuHours": costs.gpu_hours,
            "gpuHoursWithoutSharing": costs.gpu_hours_without_sharing,
            "gpuHoursToDo": _to_do(plan, costs, done),
            "price": costs.price,
            "priceWithoutSharing": costs.price_without_sharing,
            "assumptions": list(costs.assumptions),
            "warnings": list(costs.warnings),
        },
    }


def _print_table(plan: Plan, costs: Estimate, done: set[str], uri: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("kind", "key", "step", "reads"):
        table.add_column(name, no_wrap=name != "reads")
    for name in ("uses", "GPU-h", "exists"):
        table.add_column(name, justify="right")
    for step in plan.steps:
        hours = costs.steps[step.key].gpu_hours
        table.add_row(
            step.kind,
            step.key[:8],
            step.name,
            _reads(plan, step),
            str(step.uses),
            "?" if hours is None else f"{hours:.2f}" if hours else "-",
            "yes" if step.key in done else "no",
        )
    # A pipe has no width of its own: give the table what it needs instead of cutting it.
    Console(width=None if sys.stdout.isatty() else 160, highlight=False).print(table)
    for line in _summary(plan, costs, done, uri):
        click.echo(line)


def _reads(plan: Plan, step: Step) -> str:
    keys = plan.dependencies(step)
    shown = " ".join(key[:8] for key in keys[:4])
    return shown if len(keys) <= 4 else f"{shown} +{len(keys) - 4}"


def _summary(plan: Plan, costs: Estimate, done: set[str], uri: str) -> list[str]:
    total, alone = len(plan.steps), sum(step.uses for step in plan.steps)
    lines = [
        f"{total} steps for {len(plan.points)} points; {len(done)} exist in {uri}, {total - len(done)} to do",
        f"without sharing: {alone} steps",
    ]
    if any(step.resources.pool for step in plan.steps):
        lines[1] += (
            f"\nestimated GPU-hours: {costs.gpu_hours:.1f}, of which to do {_to_do(plan, costs, done):.1f}; "
            f"without sharing {costs.gpu_hours_without_sharing:.1f}"
        )
        if costs.price is not None:
            lines.append(f"estimated price: {costs.price:.2f}; without sharing {costs.price_without_sharing:.2f}")
        lines.append("This is an estimate, not a measurement. It assumes:")
        lines += [f"  - {assumption}" for assumption in costs.assumptions]
    else:
        lines.append("GPU-hours: 0 (no placement names a pool, so every step runs on CPUs)")
    return lines + [f"warning: {warning}" for warning in costs.warnings]


def _to_do(plan: Plan, costs: Estimate, done: set[str]) -> float:
    return sum(costs.steps[step.key].gpu_hours or 0.0 for step in plan.steps if step.key not in done)
