"""`w2s status FILE`: how far an experiment is, read off the store, so it is true for runs on any machine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from controller.cli.store_option import choose_store, store_option

__all__ = ["command"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@store_option
def command(file: Path, store: str | None) -> None:
    """Show how many steps of each kind are done, and how far those are that can run now."""
    from controller.cli.experiment_file import read_plan  # --help must not wait for all this
    from controller.plan.decide import Observed, decide
    from w2s_jobs.store.open import open_store

    experiment, plan = read_plan(file)
    settings = choose_store(store, experiment)
    artifacts = open_store(settings)
    done = {ref.key for ref in artifacts.finished(step.ref for step in plan.steps)}
    decision = decide(plan, Observed(done=done))
    totals = Counter(step.kind for step in plan.steps)
    finished = Counter(step.kind for step in plan.steps if step.key in done)
    click.echo(f"{plan.experiment}: {len(done)} of {len(plan.steps)} steps are done in {settings.uri}")
    for kind, total in totals.items():
        click.echo(f"  {kind:<9} {finished[kind]:>5} of {total}")
    for step in decision.start:
        progress = artifacts.read_progress(step.ref)
        if progress is not None:
            click.echo(f"  begun: {step.name}: {progress.done:,} of {progress.total:,} {progress.unit}")
    if decision.succeeded:
        click.echo(f"the report is there: w2s report {file}")
    else:
        click.echo(f"{len(decision.start)} can run now, {len(decision.waiting)} wait for them: w2s run {file}")
