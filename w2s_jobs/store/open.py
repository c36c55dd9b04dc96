"""Open the store behind a URI."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlparse

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.steps import StoreSettings
from w2s_jobs.store.folder import FolderStore
from w2s_jobs.store.protocol import ArtifactStore
from w2s_jobs.store.signs import Sign, no_sign

__all__ = ["open_store"]


def open_store(settings: StoreSettings, sign: Sign = no_sign) -> ArtifactStore:
    """Open a store; nothing is read or written yet.

    It gives a `sign` while the bytes of large files travel between it and this machine.

    Raises
    ------
    InputError
        The URI is neither `file:///folder` nor `s3://bucket/prefix`, or a file lies where the folder should be.
    """
    parsed = urlparse(settings.uri)
    if parsed.scheme == "file" and parsed.path.startswith("/") and not parsed.netloc:
        root = Path(unquote(parsed.path))
        if root.exists() and not root.is_dir():
            raise InputError(f"store '{settings.uri}': {root} is no folder; correct --store or spec.storage")
        return FolderStore(root)
    if parsed.scheme == "s3" and parsed.netloc:
        from w2s_jobs.store.s3 import S3Store  # boto3 takes 0.3 s to import; a folder needs none of it

        return S3Store(parsed.netloc, parsed.path.strip("/"), settings, sign)
    raise InputError(
        f"store '{settings.uri}': expected file:///absolute/folder or s3://bucket/prefix; "
        "correct --store or spec.storage"
    )
