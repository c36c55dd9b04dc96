"""Where a model's files are: an input artifact, a folder, an S3 prefix, or the hub at a pinned revision."""

from __future__ import annotations

from pathlib import Path

from w2s_jobs.context import StepContext
from w2s_jobs.contracts.errors import DependencyError, InputError
from w2s_jobs.contracts.settings import HubLocation, ModelSource
from w2s_jobs.engines.weights import check_weights
from w2s_jobs.store.model_folder import model_folder_sha256

__all__ = ["model_folder"]


def model_folder(context: StepContext, source: ModelSource | None) -> Path:
    """Return the local folder (Hugging Face layout) of the step's model: role `model`, or `source` where it is given.

    Raises
    ------
    InputError
        There is no such model, its weights are damaged, or it is not the one that the manifest's sha256 names.
    """
    if source is None:
        folder = context.input("model")
    elif source.path is not None:
        folder = _given_folder(source.path)
    elif source.s3 is not None:
        with context.fetching():
            folder = _from_s3(context, source.s3)
    elif source.hub is not None:
        with context.fetching():
            folder = _from_hub(context, source.hub)
    else:
        raise InputError(f"step {context.ref}: a scratch model has no files yet; it must be trained before it is used")
    if not (folder / "config.json").is_file():
        raise InputError(f"model {folder}: no config.json there; expected a folder in Hugging Face layout")
    # A sha256 stands for path and s3 in the step's key, so the files must be the ones that it names.
    if source is not None and source.sha256 is not None and source.hub is None:
        _check_digest(folder, source.sha256)
    check_weights(folder)
    return folder


def _given_folder(path: str) -> Path:
    folder = Path(path)
    if not folder.is_dir():
        raise InputError(f"model {folder}: there is no such folder; correct models.….source.path")
    return folder


def _check_digest(folder: Path, expected: str) -> None:
    if (found := model_folder_sha256(folder)) != expected:
        raise InputError(
            f"model {folder}: sha256 over its files is {found}, the manifest says {expected}; "
            "restore the folder, or correct source.sha256 if the change is meant"
        )


def _from_hub(context: StepContext, hub: HubLocation) -> Path:
    from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

    from w2s_jobs.store.hub_cache import fetch_hub_model  # only hub models need it

    try:
        return fetch_hub_model(hub.name, hub.revision, context.watchdog.feed)
    except RepositoryNotFoundError as error:
        raise InputError(
            f"hub model {hub.name}@{hub.revision[:12]} does not exist or is gated; check the name, or set HF_TOKEN"
        ) from error
    except RevisionNotFoundError as error:
        raise InputError(
            f"hub model {hub.name} has no revision {hub.revision}; give the commit hash of one that exists"
        ) from error
    except (LocalEntryNotFoundError, OSError) as error:
        raise DependencyError(
            f"hub model {hub.name}@{hub.revision[:12]}: the hub cannot be reached and the model is not cached; "
            "run again with a network, or name a path or s3 source"
        ) from error


def _from_s3(context: StepContext, uri: str) -> Path:
    from w2s_jobs.store.s3_folder import fetch_s3_folder  # only models in S3 need boto3

    folder = context.work_dir / "model"
    if not fetch_s3_folder(uri, context.spec.store, folder, context.watchdog.feed):
        raise InputError(f"model {uri}: nothing lies there; correct models.….source.s3")
    return folder
