"""`w2s crd`."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command()
def command() -> None:
    """Print the CustomResourceDefinition of experiments, for `kubectl apply --server-side -f -`."""
    from controller.api.crd.text import render_definition  # --help must not wait for pydantic

    click.echo(render_definition(), nl=False)
