"""Raw datasets: bring a source's file to this machine and check it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlparse

from w2s_jobs.contracts.errors import DependencyError, InputError
from w2s_jobs.contracts.settings import DatasetSource, HubLocation
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.checksum import sha256_of

__all__ = ["find_source_file"]


def find_source_file(
    source: DatasetSource, named: str | None, usual: Sequence[str], work_dir: Path, store: StoreSettings
) -> Path:
    """Return a local copy of a source's file: `named`, or the first of `usual` that exists; its checksum is verified.

    Raises
    ------
    InputError
        There is no such file, or it is not the one that the manifest's sha256 names.
    """
    candidates = [named] if named else list(usual)
    brought = ((name, _bring(source, name, work_dir, store)) for name in candidates)
    name, path = next((pair for pair in brought if pair[1] is not None), ("", None))
    place = source.path or source.s3 or (source.hub.name if source.hub else "?")
    if path is None:
        raise InputError(
            f"dataset {place}: no file {' or '.join(candidates)}; name the file with dataset.source.train / .test, "
            "or with .pool where one file serves every split"
        )
    expected = source.sha256.get(name)
    if expected is not None and (found := sha256_of(path)) != expected:
        raise InputError(
            f"dataset file {name} of {place}: sha256 is {found}, the manifest says {expected}; "
            "restore the file, or correct dataset.source.sha256 if the change is meant"
        )
    return path


def _bring(source: DatasetSource, name: str, work_dir: Path, store: StoreSettings) -> Path | None:
    if source.path is not None:
        path = Path(source.path) / name
        return path if path.is_file() else None
    if source.s3 is not None:
        return _bring_s3(source.s3, name, work_dir, store)
    if source.hub is not None:
        return _bring_hub(source.hub, name)
    return None


def _bring_s3(prefix: str, name: str, work_dir: Path, store: StoreSettings) -> Path | None:
    from w2s_jobs.store.s3_client import S3Clients  # only sources in S3 need boto3
    from w2s_jobs.store.s3_errors import s3_errors

    parsed = urlparse(f"{prefix.rstrip('/')}/{name}")
    bucket, key, clients = parsed.netloc, parsed.path.lstrip("/"), S3Clients(store)
    target = work_dir / "source" / name
    with s3_errors(clients.place(bucket, key)):
        if not clients.exists(bucket, key):
            return None
        clients.download(bucket, key, target)
    return target


def _bring_hub(hub: HubLocation, name: str) -> Path | None:
    from huggingface_hub import hf_hub_download  # only hub sources need it
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    filename = f"{hub.subset}/{name}" if hub.subset else name
    try:
        return Path(hf_hub_download(hub.name, filename, repo_type="dataset", revision=hub.revision))
    except HFValidationError as error:
        raise InputError(f"hub dataset {hub.name}: {error}; correct dataset.source.hub.name") from error
    except LocalEntryNotFoundError as error:
        raise _unreachable(hub, filename) from error
    except EntryNotFoundError:
        return None
    except RevisionNotFoundError as error:
        raise InputError(
            f"hub dataset {hub.name} has no revision {hub.revision}; give the commit hash of one that exists"
        ) from error
    except RepositoryNotFoundError as error:
        raise InputError(
            f"hub dataset {hub.name}@{hub.revision[:12]} does not exist or is gated; check the name, or set HF_TOKEN"
        ) from error
    except HfHubHTTPError as error:
        raise _unreachable(hub, filename) from error


def _unreachable(hub: HubLocation, filename: str) -> DependencyError:
    return DependencyError(
        f"hub dataset {hub.name}@{hub.revision[:12]}: the hub cannot be reached and {filename} is not cached; "
        "run again with a network, or name a path or s3 source"
    )
