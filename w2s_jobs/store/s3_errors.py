"""Errors of S3, said in our words: who must act, and whether a retry can help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from awscrt.exceptions import AwsCrtError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)

from w2s_jobs.contracts.errors import DependencyError, InputError, JobError

__all__ = ["s3_errors", "translate_s3_error"]

_REFUSED = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "XAdminUserNotFound"}  # the last is versitygw's
_REFUSED_STATUS = {401, 403}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestTimeTooSkewed", "TokenRefreshRequired"}
"""Refusals that pass by themselves when the credentials are rotated or the clock is set."""
_NO_BUCKET = {"NoSuchBucket"}
_MISSING = {"404", "NoSuchKey", "NotFound"}
_TOO_SHORT = {"InvalidRange"}
"""The answer to the first range of an object that has been emptied."""
_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
_FIX_CREDENTIALS = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE, or a web identity) to credentials that may read "
    "and write there, then run again"
)


_REPLACE = "put the right file there and run again"


def translate_s3_error(error: Exception, place: str, repair: str = _REPLACE) -> JobError:
    """Turn an error of botocore or the CRT at `place` (bucket, key and endpoint) into one of ours.

    `repair` is what the user must do about an object whose bytes are wrong.
    """
    if isinstance(error, ClientError):
        return _translate_answer(error, place, repair)
    if isinstance(error, _CREDENTIALS):
        return InputError(f"S3 at {place}: no usable credentials: {error}; {_FIX_CREDENTIALS}")
    if isinstance(error, AwsCrtError):
        reason = f"{error.name}: {error.message}"
        if "CHECKSUM_MISMATCH" in error.name:
            return _damaged(place, repair)
        # Also where it got no credentials: botocore, asked why (s3_client.py), has them by now.
        return DependencyError(f"S3 at {place} could not be used: {reason}; check that the endpoint is up, run again")
    return DependencyError(
        f"S3 at {place} cannot be reached: {error}; check the endpoint and the network, then run again"
    )


def _damaged(place: str, repair: str) -> InputError:
    return InputError(
        f"S3 at {place} is corrupted or truncated: its bytes do not have the checksum it was stored with; {repair}"
    )


def _translate_answer(error: ClientError, place: str, repair: str) -> JobError:
    code = str(error.response.get("Error", {}).get("Code", "unknown"))
    text = error.response.get("Error", {}).get("Message") or "no message"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in _REFUSED or (status in _REFUSED_STATUS and code not in _EXPIRED):
        return InputError(f"S3 at {place} refused the credentials ({code}: {text}); {_FIX_CREDENTIALS}")
    if code in _TOO_SHORT:
        return _damaged(place, repair)
    if code in _NO_BUCKET:
        return InputError(f"S3 at {place}: the bucket does not exist; create it or correct the store's URI")
    if code in _MISSING:
        return InputError(f"S3 at {place}: there is no such object; run again to make it, or correct the URI")
    return DependencyError(f"S3 at {place} answered {code}: {text}; run again when it is well")


@contextmanager
def s3_errors(place: str, repair: str = _REPLACE) -> Iterator[None]:
    """Translate every error of S3 inside the block."""
    try:
        yield
    except (ClientError, BotoCoreError, AwsCrtError) as error:
        raise translate_s3_error(error, place, repair) from error
