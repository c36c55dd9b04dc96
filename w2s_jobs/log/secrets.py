"""The values that this process was given as credentials, which no log may show."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from w2s_jobs.contracts.secret_names import means_secret
from w2s_jobs.log.mask import SHORTEST
from w2s_jobs.store.credentials import FOLDER, KEY_ID

__all__ = ["Secrets"]

_MEANS_PLACE = re.compile(r"_(ARN|DIR|FILE|HOST|ID|NAME|PATH|PORT|URI|URL)$", re.IGNORECASE)
_TOKEN_FILE = "TOKEN_FILE"  # noqa: S105  how variables are called that lead to a web identity


class Secrets:
    """Those of now and those of before: what is rotated while the process runs is read again at each call.

    Parameters
    ----------
    environment
        The variables, and with them the folder of a mounted Secret and the files of web identities. All of its files
        are secret but the access key's id; of the variables those are whose name says so.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._folder = environment.get(FOLDER)
        self._token_files = [Path(value) for name, value in environment.items() if name.endswith(_TOKEN_FILE) and value]
        self._seen: set[bytes] = set()
        self._hidden: list[bytes] = []
        self._lock = threading.Lock()
        for name, value in environment.items():
            if means_secret(name) and not _MEANS_PLACE.search(name):
                self._learn(os.fsencode(value))
        self()  # those of the start are known even where they are rotated before anything is printed

    def __call__(self) -> Sequence[bytes]:
        """Return all of them, the longest first; one of many lines is as many."""
        with self._lock:  # the threads that print and that store ask at once
            for path in self._files():
                with suppress(OSError):
                    self._learn(path.read_bytes())
            return self._hidden

    def _files(self) -> Iterator[Path]:
        yield from self._token_files
        if self._folder:
            with suppress(OSError):
                yield from (path for path in Path(self._folder).iterdir() if path.name != KEY_ID and path.is_file())

    def _learn(self, value: bytes) -> None:
        if value not in self._seen:
            self._seen.add(value)
            lines = {line.strip() for value in self._seen for line in value.splitlines()}
            self._hidden = sorted((line for line in lines if len(line) >= SHORTEST), key=len, reverse=True)
