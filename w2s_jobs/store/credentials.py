"""Credentials in files, read again whenever the files change: keys that are rotated need no restart.

boto3 reads a credentials file once a process. Here it is looked at before each request is signed, which costs a few
microseconds. A web identity needs none of this: botocore reads its token anew each time it asks for keys.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from botocore.credentials import CredentialProvider, Credentials, ReadOnlyCredentials, SharedCredentialProvider
from botocore.session import Session

__all__ = ["FOLDER", "KEY_ID", "make_session"]

FOLDER = "W2S_CREDENTIALS"
"""Variable: a folder with one file a variable, as a Secret is mounted; it wins over the variables themselves"""
KEY_ID, _SECRET, _TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"


def make_session() -> Session:
    """Make a session that finds credentials as boto3 does, and sees it when those in files are rotated."""
    session = Session()
    resolver = session.get_component("credential_provider")
    if folder := os.environ.get(FOLDER):
        home = Path(folder)
        files = [home / name for name in (KEY_ID, _SECRET, _TOKEN)]
        resolver.insert_before("env", _FileProvider("mounted-secret", files, lambda: _read_folder(home)))
    file = Path(session.get_config_variable("credentials_file")).expanduser()
    shared = SharedCredentialProvider(str(file), session.get_config_variable("profile"))
    resolver.insert_before(shared.METHOD, _FileProvider("shared-credentials-file-anew", [file], shared.load))
    return session


class _FileProvider(CredentialProvider):
    """What botocore asks for credentials, in its turn."""

    def __init__(self, method: str, files: Sequence[Path], read: Callable[[], Credentials | None]) -> None:
        super().__init__()
        self.METHOD = method
        self._files, self._read = files, read

    def load(self) -> Credentials | None:
        """Return the credentials, or None where the files hold none."""
        first = self._read()
        return None if first is None else _FileCredentials(first, self._files, self._read)


class _FileCredentials(Credentials):
    """Credentials that are those of the files at each signature."""

    def __init__(self, first: Credentials, files: Sequence[Path], read: Callable[[], Credentials | None]) -> None:
        super().__init__(first.access_key, first.secret_key, first.token, method=first.method)
        self._files, self._read = files, read
        self._state: object = None
        self._lock = threading.Lock()

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the credentials of this moment; files that are gone leave the last ones in force."""
        with self._lock:
            while (state := [_state_of(file) for file in self._files]) != self._state:
                self._state = state
                if (found := self._read()) is not None:
                    self.access_key, self.secret_key, self.token = found.access_key, found.secret_key, found.token
            return super().get_frozen_credentials()


def _state_of(file: Path) -> tuple[int, ...] | None:
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns


def _read_folder(home: Path) -> Credentials | None:
    try:
        key_id, secret = ((home / name).read_text().strip() for name in (KEY_ID, _SECRET))
    except OSError:
        return None
    token = (home / _TOKEN).read_text().strip() if (home / _TOKEN).is_file() else None
    return Credentials(key_id, secret, token or None, method="mounted-secret") if key_id and secret else None
