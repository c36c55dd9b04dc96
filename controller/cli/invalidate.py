"""`w2s invalidate KIND/KEY`: forget one artifact, so that the next run makes it again."""

from __future__ import annotations

import click

from controller.cli.store_option import choose_store, store_option
from controller.errors import W2sError

__all__ = ["command"]


@click.command()
@click.argument("artifact", metavar="KIND/KEY")
@store_option
def command(artifact: str, store: str | None) -> None:
    """Delete one artifact of a store. KEY may be its first digits, as long as they fit one artifact only.

    Artifacts that were made from it stay, and a run that has them does not need it: invalidate the report as well to
    have everything between the two made again.
    """
    from w2s_jobs.contracts.keys import KIND_VERSIONS  # --help must not wait for pydantic
    from w2s_jobs.store.open import open_store

    kind, slash, prefix = artifact.partition("/")
    if not slash or not prefix or kind not in KIND_VERSIONS:
        raise click.BadParameter(
            f"{artifact!r}; expected KIND/KEY, such as train/3fa1; kinds: {', '.join(KIND_VERSIONS)}",
            param_hint="KIND/KEY",
        )
    settings = choose_store(store)
    artifacts = open_store(settings)
    found = artifacts.find(kind, prefix.lower())
    if not found:
        raise W2sError(
            f"{settings.uri} holds no artifact {artifact}; --store names another place. "
            "`w2s plan FILE` lists the keys of an experiment"
        )
    if len(found) > 1:
        keys = "\n".join(f"  {ref.kind}/{ref.key[:16]}" for ref in found[:12])
        raise W2sError(f"{artifact} fits {len(found)} artifacts; give more digits of the key:\n{keys}")
    artifacts.delete(found[0])
    click.echo(f"deleted {found[0].kind}/{found[0].key} from {settings.uri}; the next run that needs it makes it again")
