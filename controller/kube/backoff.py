"""How long to wait after the n-th failure in a row. Pure: chance comes in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Backoff"]


@dataclass(frozen=True)
class Backoff:
    """Doubles from `first` to `cap` seconds. Jitter spreads those who failed together."""

    first: float = 0.5
    cap: float = 30.0
    jitter: float = 0.5
    """Share of the wait that chance may take off"""

    def seconds(self, failures: int, chance: Callable[[], float] = lambda: 0.0) -> float:
        """Seconds to wait after `failures` (from 1) in a row; `chance` draws from [0, 1)."""
        wait = min(self.cap, self.first * 2.0 ** min(failures - 1, 32))
        return wait * (1 - self.jitter * chance())
