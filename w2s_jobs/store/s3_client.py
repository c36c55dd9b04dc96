"""The S3 clients: botocore's for small requests, the Common Runtime's (CRT) for files.

boto3's own switch to the CRT knows no endpoint but AWS's, so the transfer manager is built here from s3transfer, the
library behind boto3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.session import Session
from s3transfer.crt import (
    BotocoreCRTCredentialsWrapper,
    BotocoreCRTRequestSerializer,
    CRTTransferManager,
    create_s3_crt_client,
)

from w2s_jobs.contracts.steps import StoreSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["S3Clients"]

_CONFIG = Config(
    connect_timeout=4,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 3},
    s3={"addressing_style": "path"},
)
_DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class S3Clients:
    """Clients of one endpoint, made when first used. Credentials come from the environment, as boto3 finds them."""

    settings: StoreSettings

    @cached_property
    def _session(self) -> Session:
        return Session()

    @property
    def _endpoint(self) -> str | None:
        return self.settings.endpoint or self._session.get_config_variable("endpoint_url")

    @property
    def _region(self) -> str:
        return self.settings.region or self._session.get_config_variable("region") or _DEFAULT_REGION

    @cached_property
    def api(self) -> S3Client:
        """The client for single requests; safe for threads."""
        return cast(
            "S3Client",
            self._session.create_client("s3", region_name=self._region, endpoint_url=self._endpoint, config=_CONFIG),
        )

    @cached_property
    def transfers(self) -> CRTTransferManager:
        """The transfer manager for files: parallel multipart uploads and ranged parallel downloads."""
        endpoint = self._endpoint
        credentials = self._session.get_credentials()
        # The wrapper asks botocore at each request, so rotated credentials are used without a restart.
        provider = BotocoreCRTCredentialsWrapper(credentials).to_crt_credentials_provider()
        client = create_s3_crt_client(
            self._region, crt_credentials_provider=provider, use_ssl=not (endpoint or "").startswith("http://")
        )
        serializer = BotocoreCRTRequestSerializer(
            self._session, {"region_name": self._region, "endpoint_url": endpoint, "config": _CONFIG}
        )
        return CRTTransferManager(client, serializer)

    def place(self, bucket: str, key: str = "") -> str:
        """Name an object and its endpoint for a message."""
        where = f"s3://{bucket}/{key}".rstrip("/")
        return f"{where} ({self._endpoint})" if self._endpoint else where
