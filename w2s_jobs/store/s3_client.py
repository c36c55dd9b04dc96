"""The S3 clients: botocore's for small requests, the Common Runtime's (CRT) for files.

boto3's own switch to the CRT knows no endpoint but AWS's, so the transfer manager is built here from s3transfer, the
library behind boto3.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from awscrt.exceptions import AwsCrtError
from awscrt.s3 import S3ChecksumAlgorithm, S3ChecksumConfig, S3Request
from botocore.config import Config
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.session import Session
from s3transfer.crt import (
    BotocoreCRTCredentialsWrapper,
    BotocoreCRTRequestSerializer,
    CRTTransferManager,
    create_s3_crt_client,
)
from s3transfer.subscribers import BaseSubscriber

from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.credentials import make_session
from w2s_jobs.store.signs import Sign, no_sign

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["UPLOAD_ARGUMENTS", "S3Clients"]

_CONFIG = Config(
    connect_timeout=4,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 3},
    s3={"addressing_style": "path"},
)
_DEFAULT_REGION = "us-east-1"
_SMALL = 8 * 1024 * 1024
"""Below this many bytes one plain request is quicker than the CRT's parallel parts."""
UPLOAD_ARGUMENTS = {"ChecksumAlgorithm": "CRC64NVME"}
"""The server checks what it receives against this checksum and keeps it, as the aws CLI has it by default."""


@dataclass(frozen=True)
class _CheckedDownload:
    """The CRT's client with the checksum that the download must have; s3transfer has no argument for it."""

    client: Any
    crc64nvme: str

    def make_request(self, **request: Any) -> S3Request:
        """Start the download."""
        expected = S3ChecksumConfig(
            expected_checksum=self.crc64nvme, expected_checksum_algorithm=S3ChecksumAlgorithm.CRC64NVME
        )
        return self.client.make_request(**{**request, "checksum_config": expected})


class _Signs(BaseSubscriber):
    """Listens to a transfer: the CRT reports every second in which a part came through, and at the end."""

    def __init__(self, sign: Sign) -> None:
        self._sign = sign

    def on_progress(self, future: Any, bytes_transferred: int, **_: Any) -> None:  # noqa: ARG002  as it is called
        """Pass it on that a part is through."""
        if bytes_transferred:
            self._sign()


@contextmanager
def _disk_of(target: Path) -> Iterator[None]:
    try:
        yield
    except AwsCrtError as error:
        if error.name != "AWS_ERROR_NO_SPACE":
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target)) from error


@dataclass(frozen=True)
class S3Clients:
    """Clients of one endpoint, made when first used. Credentials are found as boto3 does (store/credentials.py)."""

    settings: StoreSettings
    sign: Sign = no_sign
    """sign that is given while the bytes of large files travel"""

    @cached_property
    def _session(self) -> Session:
        return make_session()

    @property
    def _endpoint(self) -> str:
        """The endpoint that is really used: the settings', AWS_ENDPOINT_URL, or AWS's own."""
        return str(self.api.meta.endpoint_url)

    @property
    def _region(self) -> str:
        return self.settings.region or self._session.get_config_variable("region") or _DEFAULT_REGION

    @cached_property
    def api(self) -> S3Client:
        """The client for single requests; safe for threads."""
        return cast(
            "S3Client",
            self._session.create_client(
                "s3", region_name=self._region, endpoint_url=self.settings.endpoint, config=_CONFIG
            ),
        )

    def exists(self, bucket: str, key: str) -> bool:
        """Tell whether an object is there."""
        try:
            self.api.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    def download(self, bucket: str, key: str, target: Path, crc64nvme: str | None = None) -> None:
        """Download one object: ranges in parallel where it is large. The name appears when all of it is there.

        Where its CRC-64/NVME is given, the CRT compares the bytes with it as they arrive and refuses others. A disk
        that is full is an OSError, as it is everywhere else.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        # Leaving the block waits for the rename of the finished file, which result() alone does not.
        with self.transfers(crc64nvme) as transfers:
            future = transfers.download(bucket, key, str(target), subscribers=[_Signs(self.sign)])
        with _disk_of(target), self._credentials_of_transfers():
            future.result()

    def upload(self, source: Path, bucket: str, key: str) -> None:
        """Upload one file: one request where it is small, parts in parallel where it is large."""
        if source.stat().st_size < _SMALL:
            self.api.put_object(Bucket=bucket, Key=key, Body=source.read_bytes())
            return
        with self.transfers() as transfers:
            future = transfers.upload(
                str(source), bucket, key, extra_args=dict(UPLOAD_ARGUMENTS), subscribers=[_Signs(self.sign)]
            )
        with self._credentials_of_transfers():
            future.result()

    def transfers(self, crc64nvme: str | None = None) -> CRTTransferManager:
        """Return a transfer manager; leaving its `with` block waits for all that it was given.

        With a CRC it is for one download: of the object that has it.
        """
        client, serializer = self._common_runtime
        return CRTTransferManager(client if crc64nvme is None else _CheckedDownload(client, crc64nvme), serializer)

    @cached_property
    def _common_runtime(self) -> tuple[Any, BotocoreCRTRequestSerializer]:
        """The CRT's client, with its threads and connections, and what writes its requests."""
        endpoint = self._endpoint
        # The wrapper asks botocore at each request, so rotated credentials are used without a restart.
        credentials = BotocoreCRTCredentialsWrapper(self._session.get_credentials()).to_crt_credentials_provider()
        client = create_s3_crt_client(
            self._region, crt_credentials_provider=credentials, use_ssl=endpoint.startswith("https://")
        )
        serializer = BotocoreCRTRequestSerializer(
            self._session, {"region_name": self._region, "endpoint_url": endpoint, "config": _CONFIG}
        )
        return client, serializer

    @contextmanager
    def _credentials_of_transfers(self) -> Iterator[None]:
        """Let botocore say why there were no credentials: the CRT says only that it got none."""
        try:
            yield
        except AwsCrtError as error:
            if "CREDENTIALS" in error.name:
                found = self._session.get_credentials()
                if found is None:
                    raise NoCredentialsError from error
                found.get_frozen_credentials()
            raise

    def place(self, bucket: str, key: str = "") -> str:
        """Name an object and its endpoint for a message."""
        return f"{f's3://{bucket}/{key}'.rstrip('/')} ({self._endpoint})"
