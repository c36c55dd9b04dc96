"""The logs that pods left in a store: the last part of what each printed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING

import click

from controller.api.labels import KEY, MANAGED_BY, MANAGER
from controller.errors import W2sError

if TYPE_CHECKING:
    from controller.plan.graph import Plan
    from w2s_jobs.contracts.artifact import ArtifactRef, LogName
    from w2s_jobs.contracts.steps import StoreSettings

__all__ = ["find_by_key", "list_kept_logs", "print_kept_logs"]

_ASKED_AT_ONCE = 16


def find_by_key(settings: StoreSettings, artifact: str) -> ArtifactRef:
    """Return the one step of a store that KIND/KEY names; KEY may be its first digits.

    Raises
    ------
    W2sError
        The store has no such step, or several.
    """
    from w2s_jobs.store.open import open_store

    kind, _, prefix = artifact.partition("/")
    found = open_store(settings).find(kind, prefix.lower())
    if not found:
        raise W2sError(
            f"{settings.uri} holds nothing of {artifact}; --store names another place, and `w2s plan FILE` lists the "
            "keys of an experiment"
        )
    if len(found) > 1:
        keys = "\n".join(f"  {ref.kind}/{ref.key[:16]}" for ref in found[:12])
        raise W2sError(f"{artifact} fits {len(found)} steps; give more digits of the key:\n{keys}")
    return found[0]


def print_kept_logs(settings: StoreSettings, ref: ArtifactRef, attempt: int | None) -> None:
    """Print the log of each shard's (or node's) last attempt, or of the one with that number.

    Raises
    ------
    W2sError
        No such log is kept.
    """
    from w2s_jobs.store.open import open_store

    store = open_store(settings)
    names = _chosen(store.list_logs(ref), attempt)
    if not names:
        which = "" if attempt is None else f" of attempt {attempt}"
        raise W2sError(
            f"{settings.uri} keeps no log{which} of {ref}: expected one that a pod left there, within half a minute of "
            "its start; nor has it run on this machine, from this folder. --store names another place. Is there a pod? "
            f"kubectl get pods -A -l {KEY}={ref.key[:63]}"
        )
    for name in names:
        click.echo(f"== {ref} {_describe(name)}", err=True)
        click.echo(store.read_log(ref, name).decode("utf-8", errors="replace"), nl=False)


def list_kept_logs(settings: StoreSettings, plan: Plan) -> None:
    """List every log that is kept of a plan's steps.

    Raises
    ------
    W2sError
        There is none.
    """
    from w2s_jobs.store.open import open_store

    store = open_store(settings)
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        kept = list(pool.map(lambda step: store.list_logs(step.ref), plan.steps))
    for step, names in zip(plan.steps, kept, strict=True):
        for name in names:
            click.echo(f"{step.kind:<9} {step.key[:8]}  {step.name:<48} {_describe(name)}")
    if not any(kept):
        raise W2sError(
            f"{settings.uri} keeps no log of {plan.experiment}: expected what its pods left there. Which are they? "
            f"kubectl get pods -A -l {MANAGED_BY}={MANAGER}"
        )


def _chosen(names: list[LogName], attempt: int | None) -> list[LogName]:
    """Choose one attempt of each part; they come in order."""
    parts = [list(group) for _, group in groupby(names, lambda name: name.part)]
    if attempt is None:
        return [attempts[-1] for attempts in parts]
    return [attempts[attempt - 1] for attempts in parts if len(attempts) >= attempt]


def _describe(name: LogName) -> str:
    began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.strptime(name.started, "%Y%m%dT%H%M%SZ"))
    return f"part {name.part}, attempt {name.attempt}, begun {began}"
