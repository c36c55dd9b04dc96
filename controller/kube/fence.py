"""The fence before every write: an old leader cannot write."""

from __future__ import annotations

import time
from collections.abc import Callable

from controller.kube.errors import LostLeadership, RequestName

__all__ = ["Fence"]

_LEAST_SECONDS = 0.05
"""A write with less time than this left is not begun"""


class Fence:
    """Open until a moment of this process's own monotonic clock; each renewal of the Lease moves it forward.

    Safe between threads: it holds one number, which is replaced as a whole.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open_until = float("-inf")

    def open_until(self, moment: float) -> None:
        """Let writes through until `moment` of the clock."""
        self._open_until = moment

    def close(self) -> None:
        """Let nothing through any more."""
        self._open_until = float("-inf")

    def seconds_left(self) -> float:
        """Seconds that a write may still take; 0 where none may begin."""
        return max(0.0, self._open_until - self._clock())

    def check(self, request: RequestName | None = None) -> float:
        """Return the seconds left, or raise LostLeadership where a write must not begin."""
        left = self.seconds_left()
        if left < _LEAST_SECONDS:
            raise LostLeadership(
                request or RequestName("write", "anything"),
                "not sent, this process does not lead or could not renew its Lease in time",
            )
        return left
