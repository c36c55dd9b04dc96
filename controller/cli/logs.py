"""`w2s logs FILE [STEP]`: what the steps of this machine's runs printed, or the pods of a cluster."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.store_option import choose_store, store_option
from controller.errors import W2sError

if TYPE_CHECKING:
    from controller.local.run_folder import RunFolder
    from controller.plan.graph import Plan, Step

__all__ = ["command"]

_BY_KEY = re.compile(r"[a-z]+/[0-9a-fA-F]+")


@click.command()
@click.argument("file", metavar="FILE|KIND/KEY", type=click.Path(path_type=Path))
@click.argument("step", required=False)
@click.option("--attempt", type=click.IntRange(min=1), help="Number of the attempt. Default: the last one.")
@store_option
def command(file: Path, step: str | None, attempt: int | None, store: str | None) -> None:
    """Print the log of a step: STEP is a part of its name or the first digits of its key. Without it, list the logs.

    A step that ran on this machine has all of its log here. One that ran on a cluster has left the last 64 kB in the
    store: --store says where that is, if the manifest does not. KIND/KEY, as a Job's name has them, needs no manifest.
    """
    from controller.cli.kept_logs import find_by_key, list_kept_logs, print_kept_logs

    if step is None and _BY_KEY.fullmatch(str(file)) and not file.exists():
        settings = choose_store(store)
        print_kept_logs(settings, find_by_key(settings, str(file)), attempt)
        return
    from controller.cli.experiment_file import read_plan  # --help must not wait for all this
    from controller.local.run_folder import RunFolder

    experiment, plan = read_plan(file)
    folder = RunFolder(plan.experiment)
    if step is None:
        if store is None:
            _list(plan, folder)
        else:
            list_kept_logs(choose_store(store, experiment), plan)
        return
    wanted = _find(plan, step)
    if store is not None or not any(folder.attempts(label) for label in _labels(wanted)):
        print_kept_logs(choose_store(store, experiment), wanted.ref, attempt)
        return
    for log in _logs(wanted, folder, attempt):
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
        raise W2sError(
            f"{folder.logs} holds no log of {plan.experiment}: it has not run here, from this folder. "
            "--store URI lists what the pods of a cluster left there"
        )


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
