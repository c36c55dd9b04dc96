"""Sleep until something happens: a child ended, a person pressed Ctrl-C, or it is time to draw again."""

from __future__ import annotations

import select
import signal
import socket
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["Wakeup"]

_WATCHED = (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM)


class Wakeup:
    """Turns signals into one thing to wait on, so that the end of a child is noticed at once and never missed.

    Only the main thread can hold it. SIGINT and SIGTERM are noted, not raised: the executor ends the run in its loop.
    """

    def __init__(self) -> None:
        self.stop_signal: signal.Signals | None = None
        """first SIGINT or SIGTERM that came"""
        self.stop_count = 0
        """how many of them came: the second one means `now`"""

    def __enter__(self) -> Self:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._previous_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._previous: list[tuple[signal.Signals, Any]] = [(s, signal.signal(s, self._note)) for s in _WATCHED]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous:
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._previous_fd)
        self._reader.close()
        self._writer.close()

    def wait(self, seconds: float | None) -> None:
        """Return at the next signal, or after `seconds` (None: only at a signal)."""
        if select.select([self._reader], [], [], seconds)[0]:
            self._reader.recv(4096)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 (signature of a handler)
        if number != signal.SIGCHLD:
            self.stop_signal = self.stop_signal or signal.Signals(number)
            self.stop_count += 1
