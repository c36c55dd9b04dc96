"""Ends a process that does not end by itself: one without progress, and one that was told to stop and takes too long.

Both leave at once, whatever the process is stuck in; its exit code and last words say why.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from w2s_jobs.contracts.errors import ExitCode

__all__ = ["Watchdog", "leave", "leave_within", "margin_of", "words_of_late"]

_MOST_SECONDS_BETWEEN_LOOKS = 10.0


def leave(code: ExitCode, message: str) -> None:
    """End this process now, with a last word. No `finally` runs: what is committed is all that counts."""
    print(f"error: {message}", file=sys.stderr, flush=True)
    sys.stdout.flush()
    os._exit(code)


def leave_within(grace_seconds: float, step: str) -> None:
    """End this process with exit code 143 shortly before SIGKILL would end it with 137, as if it had crashed."""
    timer = threading.Timer(grace_seconds - margin_of(grace_seconds), leave, (ExitCode.STOPPED, words_of_late(step)))
    timer.daemon = True
    timer.start()


def margin_of(grace_seconds: float) -> float:
    """Return how long before SIGKILL a process ends by itself."""
    return min(5.0, grace_seconds / 4)


def words_of_late(step: str) -> str:
    """Return the last words of a step that took too long to stop."""
    return f"step {step} was told to stop and did not end in time; what it had committed is kept, run again to go on"


class Watchdog:
    """Waits for signs of progress.

    Parameters
    ----------
    limit
        Seconds without a sign after which it gives up; None never does.
    give_up
        What it does then; it is told so in words.
    """

    def __init__(
        self, limit: float | None, give_up: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit, self._give_up, self._clock = limit, give_up, clock
        self._last, self._away = clock(), 0

    def start(self) -> None:
        """Look every few seconds from now on."""
        if self.limit is not None:
            pause = min(_MOST_SECONDS_BETWEEN_LOOKS, self.limit / 4)
            threading.Thread(target=self._look_for_ever, args=(pause,), name="watchdog", daemon=True).start()

    def feed(self) -> None:
        """Take a sign of progress."""
        self._last = self._clock()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Expect no sign while the block runs: others work, and are watched where they are."""
        self._away += 1
        try:
            yield
        finally:
            self._away -= 1
            self.feed()

    def look(self) -> None:
        """Give up if no sign came for too long."""
        silent = self._clock() - self._last
        if self.limit is not None and not self._away and silent > self.limit:
            self._give_up(
                f"no progress for {silent:.0f} s, and noProgressSeconds is {self.limit:.0f}; ended to be tried again. "
                "Raise workers.noProgressSeconds of the installation if the step is this slow"
            )

    def _look_for_ever(self, pause: float) -> None:
        while True:
            time.sleep(pause)
            self.look()
