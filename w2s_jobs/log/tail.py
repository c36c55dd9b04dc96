"""PURE. The last part of a log, cut at a line."""

from __future__ import annotations

import threading

__all__ = ["TAIL_BYTES", "Tail"]

TAIL_BYTES = 64 * 1024


class Tail:
    """The last bytes of a stream; one thread adds, another reads."""

    def __init__(self, limit: int = TAIL_BYTES) -> None:
        self._limit = limit
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
        return text
