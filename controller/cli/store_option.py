"""Where artifacts lie: `--store`, or the manifest's storage, or a folder below the current one."""

from __future__ import annotations

from pathlib import Path

import click

from controller.api.v1alpha1 import WeakToStrongExperiment
from controller.errors import W2sError
from controller.local.run_folder import HOME
from w2s_jobs.contracts.steps import StoreSettings

__all__ = ["choose_store", "store_option"]

store_option = click.option(
    "--store",
    metavar="URI",
    help="Where artifacts lie: a folder, file:///folder or s3://bucket/prefix. Default: the manifest's, or .w2s/store.",
)


def choose_store(option: str | None, experiment: WeakToStrongExperiment | None = None) -> StoreSettings:
    """Settle on a store; the option wins. An S3 endpoint and region of the manifest hold for the option too."""
    storage = None if experiment is None else experiment.spec.storage
    declared = None if storage is None else storage.settings
    if option is None:
        if storage is not None and declared is None:
            raise W2sError(
                f"spec.storage.name '{storage.name}' is a store of a cluster, which this machine does not know. "
                "Say where artifacts lie here: --store FOLDER, or --store s3://bucket/prefix"
            )
        return declared or _folder(HOME / "store")
    if option and "://" not in option:
        return _folder(Path(option))
    if not option.startswith(("file://", "s3://")):
        raise click.BadParameter(
            f"{option!r}; expected a folder, file:///folder or s3://bucket/prefix", param_hint="--store"
        )
    if declared is not None and option.startswith("s3://"):
        return declared.model_copy(update={"uri": option})
    return StoreSettings(uri=option)


def _folder(path: Path) -> StoreSettings:
    return StoreSettings(uri=path.expanduser().resolve().as_uri())
