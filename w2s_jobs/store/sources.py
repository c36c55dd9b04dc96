"""Raw datasets: bring a source's file to this machine, check it, and read its records one by one."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from w2s_jobs.contracts.errors import DependencyError, InputError
from w2s_jobs.contracts.settings import DatasetSource, HubLocation
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.checksum import sha256_of

__all__ = ["find_source_file", "read_records"]

_SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet", ".csv", ".txt")


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
            f"dataset {place}: no file {' or '.join(candidates)}; name the file with dataset.source.train / .test"
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


def read_records(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield (line or row number from 1, record). A line that cannot be read yields the ValueError that says why.

    Raises
    ------
    InputError
        The file is of no known kind, or damaged as a whole: where its lines are cannot be told any more.
    """
    try:
        yield from _read_any(path)
    except (ValueError, EOFError, gzip.BadGzipFile, zlib.error, csv.Error) as error:
        kind = "".join(path.suffixes[-2:])
        raise InputError(f"dataset file {path} cannot be read as {kind}: {error}; restore the file") from error


def _read_any(path: Path) -> Iterator[tuple[int, Any]]:
    name = path.name
    if name.endswith(".parquet"):
        yield from enumerate(_read_parquet(path), start=1)
    elif name.endswith(".csv"):
        with path.open(newline="", encoding="utf-8") as stream:
            yield from enumerate(csv.DictReader(stream), start=2)
    elif name.endswith((".jsonl", ".jsonl.gz", ".txt")):
        yield from _read_lines(path)
    else:
        raise InputError(f"dataset file {path}: expected one of {', '.join(_SUFFIXES)}")


def _read_parquet(path: Path) -> list[dict[str, Any]]:
    import pyarrow as pa  # only Parquet sources need it
    import pyarrow.parquet as pq

    try:
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    except (pa.ArrowException, OSError) as error:  # Arrow calls broken Parquet the one or the other
        raise ValueError(str(error)) from error
    return rows


def _read_lines(path: Path) -> Iterator[tuple[int, Any]]:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                text = line.decode("utf-8")
                yield number, {"text": text.strip()} if path.suffix == ".txt" else json.loads(text)
            except ValueError as error:  # broken UTF-8 or broken JSON
                yield number, error
            except RecursionError:
                yield number, ValueError("nested too deeply")
