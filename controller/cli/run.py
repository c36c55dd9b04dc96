"""`w2s run FILE`: run an experiment on this machine. The same command goes on where an earlier one was stopped."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.store_option import choose_store, store_option

if TYPE_CHECKING:
    from rich.console import Console

    from controller.local.standing import Outcome
    from controller.local.view import View
    from controller.plan.graph import Plan
    from w2s_jobs.contracts.steps import StoreSettings

__all__ = ["command"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@store_option
@click.option("--cores", type=click.IntRange(min=1), help="Cores to use. Default: all that this process may use.")
@click.option("--gpus", type=click.IntRange(min=0), help="GPUs to use at most. Default: all visible ones.")
@click.option("--plain", is_flag=True, help="One line an event instead of the live view (the default in a pipe).")
def command(file: Path, store: str | None, cores: int | None, gpus: int | None, plain: bool) -> None:
    """Run an experiment on this machine.

    What is in the store already is not computed again, so the same command goes on after a stop. Independent steps run
    side by side; when one fails, those that do not need it still finish. Exit codes: 0 done, 1 steps failed, 42 all
    failures are inputs that can never work, 43 all are dependencies that were unavailable, 130 or 143 stopped.
    """
    from controller.cli.experiment_file import read_plan  # --help must not wait for all this
    from controller.cli.report import terminal

    experiment, plan = read_plan(file)
    settings = choose_store(store, experiment)
    console = terminal()
    sys.exit(_run(plan, settings, (cores, gpus), _view(console, plain), console))


def _run(
    plan: Plan, settings: StoreSettings, limits: tuple[int | None, int | None], view: View, console: Console
) -> int:
    from controller.local.executor import Executor, Site
    from controller.local.machine import detect_machine
    from controller.local.run_folder import RunFolder
    from w2s_jobs.store.open import open_store

    artifacts = open_store(settings)
    folder = RunFolder(plan.experiment)
    machine = detect_machine(*limits)
    view.say(
        f"{plan.experiment}: {len(plan.steps)} steps for {len(plan.points)} points, store {settings.uri}, "
        f"{machine.cores} cores, {len(machine.gpus)} GPUs"
    )
    outcome = Executor(plan, Site(artifacts, settings, folder, machine), view).run()
    for line in _summary(outcome, len(plan.steps), folder.logs):
        view.say(line)
    if outcome.exit_code == 0:
        from controller.cli.report import show_report

        show_report(artifacts, plan, folder, console)
    return outcome.exit_code


def _view(console: Console, plain: bool) -> View:
    from controller.local.live_view import LiveView
    from controller.local.view import PlainView

    return PlainView(console) if plain or not console.is_terminal else LiveView(console)


def _summary(outcome: Outcome, total: int, logs: Path) -> list[str]:
    from controller.local.view import duration

    counts = outcome.counts
    if outcome.stopped_by is not None:
        lines = [f"stopped by {outcome.stopped_by.name} after {duration(outcome.seconds)}"]
        lines += [f"  {saved}" for saved in outcome.saved]
        done = counts.computed + counts.reused
        return [*lines, f"{done} of {total} steps are done and saved; run the same command to go on"]
    if outcome.failures:
        names = ", ".join(failure.name for failure in outcome.failures)
        lines = [f"{len(outcome.failures)} of {total} steps failed: {names}"]
        if outcome.blocked:
            lines.append(f"could not run because of that: {_some(outcome.blocked)}")
        lines.append(f"logs: {logs}; mend what the error names and run the same command, it keeps what is done")
        return lines
    if not counts.computed:
        return [f"nothing to compute: all {total} steps are finished"]
    return [f"{total} steps: {counts.computed} computed, {counts.reused} reused, in {duration(outcome.seconds)}"]


def _some(names: tuple[str, ...], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
