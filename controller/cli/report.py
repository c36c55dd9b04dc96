"""`w2s report FILE`: the table of a finished experiment and the path of its report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.store_option import choose_store, store_option
from controller.errors import W2sError

if TYPE_CHECKING:
    from rich.console import Console

    from controller.local.run_folder import RunFolder
    from controller.plan.graph import Plan
    from w2s_jobs.store.protocol import ArtifactStore

__all__ = ["command", "show_report"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@store_option
def command(file: Path, store: str | None) -> None:
    """Show the table of results and the path of the report."""
    from rich.console import Console  # noqa: PLC0415  --help must not wait for all this

    from controller.cli.experiment_file import read_plan  # noqa: PLC0415
    from controller.local.run_folder import RunFolder  # noqa: PLC0415
    from w2s_jobs.store.open import open_store  # noqa: PLC0415

    experiment, plan = read_plan(file)
    artifacts = open_store(choose_store(store, experiment))
    if not artifacts.finished([plan.step(plan.report).ref]):
        raise W2sError(f"{plan.experiment}: there is no report yet. Make it with `w2s run {file}`")
    show_report(artifacts, plan, RunFolder(plan.experiment), Console(highlight=False))


def show_report(store: ArtifactStore, plan: Plan, folder: RunFolder, console: Console) -> None:
    """Copy the report into the run's folder, print its table and where it lies."""
    from controller.cli.results_table import render_results  # noqa: PLC0415
    from controller.local.report_copy import copy_report, read_results  # noqa: PLC0415

    report = copy_report(store, plan, folder.path)
    # A pipe has no width of its own: give the table what it needs instead of cutting it.
    console.print(render_results(read_results(folder.path)), width=None if console.is_terminal else 160)
    console.print(f"report: {report}", markup=False, soft_wrap=True)
