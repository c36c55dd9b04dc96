"""`w2s report FILE`: the table of a finished experiment and the path of its report."""

from __future__ import annotations

import sys
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

__all__ = ["command", "show_report", "terminal"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@store_option
def command(file: Path, store: str | None) -> None:
    """Show the table of results and the path of the report."""
    from controller.cli.experiment_file import read_plan  # --help must not wait for all this
    from controller.local.run_folder import RunFolder
    from w2s_jobs.store.open import open_store

    experiment, plan = read_plan(file)
    artifacts = open_store(choose_store(store, experiment))
    if not artifacts.finished([plan.step(plan.report).ref]):
        raise W2sError(f"{plan.experiment}: there is no report yet. Make it with `w2s run {file}`")
    show_report(artifacts, plan, RunFolder(plan.experiment), terminal())


def terminal() -> Console:
    """Open the console on stdout. A pipe has no width of its own: it gets what a table needs, so nothing is cut."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def show_report(store: ArtifactStore, plan: Plan, folder: RunFolder, console: Console) -> None:
    """Copy the report into the run's folder, print its table and where it lies."""
    from controller.cli.results_table import render_tables
    from controller.local.report_copy import copy_report, read_results

    report = copy_report(store, plan, folder.path)
    for table in render_tables(read_results(folder.path)):
        console.print(table)
    console.print(f"report: {report}", markup=False, soft_wrap=True)
