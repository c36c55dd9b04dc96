"""`w2s validate FILE`."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def command(file: Path) -> None:
    """Check a manifest, the local data it names, and the plan that it compiles to. Runs nothing."""
    from controller.cli.experiment_file import read_plan  # --help must not wait for pydantic

    experiment, plan = read_plan(file)
    points = len(plan.points)
    click.echo(f"{file}: {experiment.metadata.name} is valid: {len(plan.steps)} steps, {points} points in the report")
