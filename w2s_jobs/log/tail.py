"""PURE. The last part of a log, cut at a line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

__all__ = ["TAIL_BYTES", "Tail"]

TAIL_BYTES = 64 * 1024
_HIDDEN = b"***"


class Tail:
    """The last bytes of a stream; one thread adds, another reads.

    Parameters
    ----------
    secrets
        Returns values that are hidden wherever they appear; asked at each reading, since secrets are rotated.
    """

    def __init__(self, limit: int = TAIL_BYTES, secrets: Callable[[], Iterable[str]] = tuple) -> None:
        self._limit = limit
        self._ask, self._secrets = secrets, {secret.encode() for secret in secrets() if secret}
        self._bytes = bytearray()
        self._lock = threading.Lock()

    def add(self, data: bytes) -> None:
        """Take what was printed."""
        with self._lock:
            self._bytes += data
            if len(self._bytes) > 2 * self._limit:
                del self._bytes[: -self._limit - 1]

    def read(self) -> bytes:
        """Return at most `limit` bytes; where there was more, they begin with a whole line."""
        with self._lock:
            text = bytes(self._bytes)
        if len(text) > self._limit:
            text = text[-self._limit - 1 :]  # one byte more tells whether a line begins just there
            text = text[text.find(b"\n", 0, self._limit) + 1 :][-self._limit :]
        self._secrets |= {secret.encode() for secret in self._ask() if secret}
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text
