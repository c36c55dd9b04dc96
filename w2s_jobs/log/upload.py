"""Stores the tail of a log every few seconds when there is news. A step never fails because of its log."""

from __future__ import annotations

import threading
from collections.abc import Callable

from w2s_jobs.log.tail import Tail

__all__ = ["Upload"]


class Upload:
    """The thread that stores a tail.

    Parameters
    ----------
    write
        Stores the bytes, overwriting what it stored before; may raise anything.
    pause
        Seconds between two looks for news.
    say
        Prints a line, where the tail is not kept.
    """

    def __init__(self, tail: Tail, write: Callable[[bytes], None], pause: float, say: Callable[[str], None]) -> None:
        self._tail, self._write, self._pause, self._say = tail, write, pause, say
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log upload", daemon=True)
        self._stored: bytes | None = None
        self._warned = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self, seconds: float) -> None:
        """Store the end of the log; give it up when that takes longer."""
        self._over.set()
        self._thread.join(max(0.0, seconds))
        if self._thread.is_alive():
            self._warn(f"the store did not take it within {seconds:.0f} s")

    def _run(self) -> None:
        while not self._over.wait(self._pause):
            self._store()
        self._store()

    def _store(self) -> None:
        text = self._tail.read()
        if not text or text == self._stored:
            return
        try:
            self._write(text)
        except Exception as error:  # whatever it is, the step's work is worth more than its log
            self._warn(str(error))
        else:
            self._stored = text

    def _warn(self, why: str) -> None:
        if not self._warned:
            self._warned = True
            self._say(f"warning: the end of this log is not kept in the store: {why}\n")
