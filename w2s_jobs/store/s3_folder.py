"""A folder of S3 that is no artifact of ours, such as a model: its files by way of this machine's cache.

Nobody states their SHA-256, so the first process that fetches a file computes it, and notes it under what S3 says of
the object: place, size and ETag. From then on the file is one of the cache like any other.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlparse

from w2s_jobs.contracts.errors import DependencyError
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.cache import FileCache
from w2s_jobs.store.checksum import sha256_of
from w2s_jobs.store.s3_client import S3Clients
from w2s_jobs.store.s3_errors import s3_errors
from w2s_jobs.store.signs import Sign, no_sign

__all__ = ["fetch_s3_folder"]


def fetch_s3_folder(uri: str, settings: StoreSettings, into: Path, sign: Sign = no_sign) -> list[Path]:
    """Put all files below `s3://bucket/prefix` into a folder and return their paths; empty where nothing lies there.

    Raises
    ------
    JobError
        S3 cannot be reached or refuses, or an object was changed while it was read.
    """
    parsed, clients = urlparse(uri), S3Clients(settings, sign)
    bucket, prefix = parsed.netloc, parsed.path.strip("/") + "/"
    place = clients.place(bucket, prefix)
    cache, files = FileCache.of_this_machine(sign).of_store(place), []
    with s3_errors(place):
        pages = clients.api.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        objects = [entry for page in pages for entry in page.get("Contents", [])]
    for entry in objects:
        key, size = entry["Key"], entry["Size"]
        if key.endswith("/"):  # consoles make empty objects for folders
            continue
        fetched = _Object(clients, bucket, key)
        identity = hashlib.sha256(f"{key} {size} {entry['ETag']}".encode()).hexdigest()
        sha256 = cache.learn(identity, size, fetched.download)
        files.append(into / key.removeprefix(prefix))
        cache.provide(sha256, size, files[-1], partial(fetched.download, sha256=sha256))
    return files


@dataclass(frozen=True)
class _Object:
    clients: S3Clients
    bucket: str
    key: str

    def download(self, path: Path, sha256: str | None = None) -> None:
        """Download it; where its SHA-256 is known, it must still be the same."""
        place = self.clients.place(self.bucket, self.key)
        with s3_errors(place):
            self.clients.download(self.bucket, self.key, path)
        if sha256 is not None and sha256_of(path) != sha256:
            raise DependencyError(f"S3 at {place} was changed while it was read; run again when it stays as it is")
