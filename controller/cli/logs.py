"""`w2s logs FILE [STEP]`: what the steps of this machine's runs printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.errors import W2sError

if TYPE_CHECKING:
    from controller.local.run_folder import RunFolder
    from controller.plan.graph import Plan, Step

__all__ = ["command"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("step", required=False)
@click.option("--attempt", type=click.IntRange(min=1), help="Number of the attempt. Default: the last one.")
def command(file: Path, step: str | None, attempt: int | None) -> None:
    """Print the log of a step: STEP is a part of its name or the first digits of its key. Without it, list the logs."""
    from controller.cli.experiment_file import read_plan  # --help must not wait for all this
    from controller.local.run_folder import RunFolder

    _, plan = read_plan(file)
    folder = RunFolder(plan.experiment)
    if step is None:
        _list(plan, folder)
        return
    for log in _logs(_find(plan, step), folder, attempt):
        click.echo(f"== {log}", err=True)
        click.echo(log.read_text(errors="replace"), nl=False)


def _list(plan: Plan, folder: RunFolder) -> None:
    found = 0
    for step in plan.steps:
        for label in _labels(step):
            for _, log in folder.attempts(label):
                found += 1
                click.echo(f"{step.kind:<9} {step.key[:8]}  {step.name:<48} {log}")
    if not found:
        raise W2sError(f"{folder.logs} holds no log of {plan.experiment}: it has not run here, from this folder")


def _find(plan: Plan, wanted: str) -> Step:
    exact = [step for step in plan.steps if step.name == wanted]
    found = exact or [
        step for step in plan.steps if wanted.lower() in step.name.lower() or step.key.startswith(wanted.lower())
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise W2sError(f"no step of {plan.experiment} is called {wanted!r}. List them with `w2s plan`")
    names = "\n".join(f"  {step.key[:8]}  {step.name}" for step in found[:12])
    raise W2sError(f"{wanted!r} fits {len(found)} steps; name one by more of its name or by its key:\n{names}")


def _logs(step: Step, folder: RunFolder, attempt: int | None) -> list[Path]:
    logs = []
    for label in _labels(step):
        attempts = folder.attempts(label)
        logs += [log for number, log in attempts if number == (attempt or attempts[-1][0])]
    if not logs:
        which = "" if attempt is None else f" of attempt {attempt}"
        raise W2sError(f"{folder.logs} holds no log{which} of step '{step.name}': it has not run here")
    return logs


def _labels(step: Step) -> list[str]:
    from controller.local.step_spec import label_of

    return [label_of(step, shard) for shard in range(step.shards)]
