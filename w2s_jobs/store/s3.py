"""Artifacts in S3 (`s3://bucket/prefix`). result.json is a conditional put; files go through the CRT."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from botocore.exceptions import ClientError
from pydantic import ValidationError

from w2s_jobs.contracts.artifact import ArtifactRef, FileEntry, Input, LogName, Progress, StepResult
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.cache import FileCache
from w2s_jobs.store.checksum import file_entry, make_again, verify_file
from w2s_jobs.store.disk import disk_errors
from w2s_jobs.store.layout import LOGS, PROGRESS, RESULT, attempt_path, folder, part_path, select_entries
from w2s_jobs.store.s3_checksums import sha256_and_crc64nvme
from w2s_jobs.store.s3_client import S3Clients
from w2s_jobs.store.s3_errors import s3_errors
from w2s_jobs.store.signs import Sign, no_sign

__all__ = ["S3Store"]

_FILES_AT_ONCE = 4
_MANY = 64
"""From this many questions on, listing a kind is quicker than asking for each result."""
_EXISTS = {"PreconditionFailed", "412"}
_CONFLICT = {"ConditionalRequestConflict", "409"}
"""Another writer was at work on the same key, and may yet have failed: only a second try tells."""
_TRIES = 5
_MISSING = {"NoSuchKey", "404", "NotFound"}


class S3Store:
    """A store in a bucket. Safe for any number of processes on any number of machines."""

    def __init__(self, bucket: str, prefix: str, settings: StoreSettings, sign: Sign = no_sign) -> None:
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self.clients = S3Clients(settings, sign)

    @cached_property
    def cache(self) -> FileCache:
        """The part of this machine's cache that is this store's, at the endpoint that is really used."""
        return FileCache.of_this_machine(self.clients.sign).of_store(self.clients.place(self.bucket, self.prefix))

    def read_result(self, ref: ArtifactRef) -> StepResult | None:
        """Return the result of a finished step, or None."""
        body = self._read(self._key(ref, RESULT))
        if body is None:
            return None
        try:
            return StepResult.model_validate_json(body)
        except ValidationError as error:
            raise InputError(
                f"artifact {ref}: {self._place(ref, RESULT)} is not a readable result "
                f"({error.error_count()} problems); delete it with `w2s invalidate {ref.kind}/{ref.key}` and run again"
            ) from error

    def finished(self, refs: Iterable[ArtifactRef]) -> set[ArtifactRef]:
        """Return those that have a result."""
        wanted = list(refs)
        if not wanted:
            return set()
        if len(wanted) >= _MANY:
            there = {key for kind in {ref.kind for ref in wanted} for key in self._list(f"{self.prefix}{kind}/")}
            return {ref for ref in wanted if self._key(ref, RESULT) in there}
        with ThreadPoolExecutor(16) as pool:
            found = list(pool.map(self._exists, [self._key(ref, RESULT) for ref in wanted]))
        return {ref for ref, there in zip(wanted, found, strict=True) if there}

    def find(self, kind: str, prefix: str) -> list[ArtifactRef]:
        """Return the artifacts of a kind whose key starts with `prefix`."""
        home = f"{self.prefix}{kind}/"
        keys = sorted({name.removeprefix(home).split("/")[0] for name in self._list(home + prefix)})
        return [ArtifactRef(kind=kind, key=key) for key in keys]

    def write_result(self, result: StepResult) -> bool:
        """Publish a result once: of several writers exactly one gets True."""
        key = self._key(result.ref, RESULT)
        body = result.model_dump_json(by_alias=True, indent=1).encode()
        with s3_errors(self.clients.place(self.bucket, key)):
            for last in (number == _TRIES for number in range(1, _TRIES + 1)):
                try:
                    self.clients.api.put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")
                except ClientError as error:
                    if _code(error) in _EXISTS:
                        return False
                    if last or _code(error) not in _CONFLICT:
                        raise
                else:
                    return True
        raise AssertionError("the last try returns or raises")

    def fetch(self, item: Input, into: Path) -> Path:
        """Take the files from this machine's cache, where they are downloaded to first, and return their path."""
        entries = select_entries(self.read_result(item.ref), item)
        with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
            list(pool.map(lambda entry: self._provide(item.ref, entry, into / entry.name), entries))
        return into / item.file

    def put(self, ref: ArtifactRef, attempt: str, name: str, source: Path) -> FileEntry:
        """Store one file of an attempt."""
        return self._upload(ref, attempt_path(attempt, name), name, source)

    def put_part(self, ref: ArtifactRef, name: str, source: Path) -> FileEntry:
        """Store one file that survives the attempt."""
        return self._upload(ref, part_path(name), name, source)

    def list_parts(self, ref: ArtifactRef, prefix: str = "") -> dict[str, int]:
        """Return names and sizes of the parts that start with `prefix`."""
        home = self._key(ref, "parts/")
        return {key.removeprefix(home): size for key, size in sorted(self._list(home + prefix).items())}

    def get_part(self, ref: ArtifactRef, name: str, destination: Path) -> FileEntry:
        """Copy a part to `destination`."""
        key = self._key(ref, part_path(name))
        with disk_errors(destination), s3_errors(self.clients.place(self.bucket, key)):
            self.clients.download(self.bucket, key, destination)
        return file_entry(name, part_path(name), destination)

    def delete_parts(self, ref: ArtifactRef, prefix: str) -> None:
        """Delete the parts that start with `prefix`."""
        self._delete([self._key(ref, part_path(name)) for name in self.list_parts(ref, prefix)])

    def write_progress(self, ref: ArtifactRef, progress: Progress) -> None:
        """Overwrite progress.json."""
        key = self._key(ref, PROGRESS)
        with s3_errors(self.clients.place(self.bucket, key)):
            self.clients.api.put_object(Bucket=self.bucket, Key=key, Body=progress.model_dump_json(by_alias=True))

    def read_progress(self, ref: ArtifactRef) -> Progress | None:
        """Return the last progress written, or None where there is none to be read."""
        body = self._read(self._key(ref, PROGRESS))
        try:
            return Progress.model_validate_json(body) if body is not None else None
        except ValidationError:
            return None

    def write_log(self, ref: ArtifactRef, name: LogName, text: bytes) -> None:
        """Overwrite the last part of a pod's log."""
        key = self._key(ref, f"{LOGS}{name}")
        with s3_errors(self.clients.place(self.bucket, key)):
            self.clients.api.put_object(Bucket=self.bucket, Key=key, Body=text, ContentType="text/plain; charset=utf-8")

    def list_logs(self, ref: ArtifactRef) -> list[LogName]:
        """Return the logs that are kept."""
        home = self._key(ref, LOGS)
        names = (LogName.parse(key.removeprefix(home)) for key in sorted(self._list(home)))
        return [name for name in names if name is not None]

    def read_log(self, ref: ArtifactRef, name: LogName) -> bytes:
        """Return a log that is kept."""
        key = self._key(ref, f"{LOGS}{name}")
        with s3_errors(self.clients.place(self.bucket, key)):
            return self.clients.api.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def delete(self, ref: ArtifactRef) -> None:
        """Delete an artifact; result.json goes first, so that a reader never sees a result without its files."""
        self._delete([self._key(ref, RESULT)])
        self._delete(list(self._list(f"{self.prefix}{folder(ref)}/")))

    def _key(self, ref: ArtifactRef, path: str) -> str:
        return f"{self.prefix}{folder(ref)}/{path}"

    def _place(self, ref: ArtifactRef, path: str) -> str:
        return self.clients.place(self.bucket, self._key(ref, path))

    def _read(self, key: str) -> bytes | None:
        with s3_errors(self.clients.place(self.bucket, key)):
            try:
                return self.clients.api.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            except ClientError as error:
                if _code(error) in _MISSING:
                    return None
                raise

    def _exists(self, key: str) -> bool:
        with s3_errors(self.clients.place(self.bucket, key)):
            return self.clients.exists(self.bucket, key)

    def _list(self, prefix: str) -> dict[str, int]:
        with s3_errors(self.clients.place(self.bucket, prefix)):
            pages = self.clients.api.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            return {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", [])}

    def _delete(self, keys: Sequence[str]) -> None:
        with s3_errors(self.clients.place(self.bucket)):
            for start in range(0, len(keys), 1000):
                batch = [{"Key": key} for key in keys[start : start + 1000]]
                self.clients.api.delete_objects(Bucket=self.bucket, Delete={"Objects": batch, "Quiet": True})  # type: ignore[typeddict-item]

    def _upload(self, ref: ArtifactRef, path: str, name: str, source: Path) -> FileEntry:
        key = self._key(ref, path)
        with disk_errors(source), s3_errors(self.clients.place(self.bucket, key)), ThreadPoolExecutor(1) as pool:
            entry = pool.submit(_entry, name, path, source)  # the checksums are computed while the bytes travel
            self.clients.upload(source, self.bucket, key)
            return entry.result()

    def _provide(self, ref: ArtifactRef, entry: FileEntry, target: Path) -> None:
        self.cache.provide(entry.sha256, entry.size, target, lambda path: self._download_verified(ref, entry, path))

    def _download_verified(self, ref: ArtifactRef, entry: FileEntry, path: Path) -> None:
        key = self._key(ref, entry.path)
        crc = entry.crc64nvme if entry.size else None  # the CRT asks for a first range, which an empty object lacks
        with s3_errors(self.clients.place(self.bucket, key), repair=make_again(ref)):
            self.clients.download(self.bucket, key, path, crc)
        if crc is None:
            verify_file(ref, entry, path)


def _entry(name: str, path: str, source: Path) -> FileEntry:
    sha256, crc64nvme = sha256_and_crc64nvme(source)
    return FileEntry(name=name, path=path, size=source.stat().st_size, sha256=sha256, crc64nvme=crc64nvme)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code"))
