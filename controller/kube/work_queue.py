"""Keys that wait for a pass. Each waits once, however often it is added, and one worker has it at a time.

add -> ready -> get -> active -> done
                          |  added meanwhile: ready again after done
add_after, retry -> waiting for a time -> ready
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from controller.kube.backoff import Backoff

__all__ = ["TokenBucket", "WorkQueue"]

Key = TypeVar("Key", bound=Hashable)
Clock = Callable[[], float]


class TokenBucket:
    """At most `burst` at once and `rate` a second after that. Not safe between threads."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = now

    def reserve(self, now: float) -> float:
        """Take a token and return the seconds until it may be used."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._tokens / self._rate)


class WorkQueue(Generic[Key]):
    """First come, first served. Threads share one.

    Parameters
    ----------
    backoff
        Wait of one key after its failures in a row.
    retries_per_second, burst
        Bound on the retries of all keys together, so that a fault of all of them does not become a flood of requests.
    """

    def __init__(
        self,
        backoff: Backoff | None = None,
        retries_per_second: float = 20.0,
        burst: int = 200,
        clock: Clock = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._backoff = backoff or Backoff(first=0.05, cap=60.0)
        self._clock = clock
        self._chance = chance
        self._bucket = TokenBucket(retries_per_second, burst, clock())
        self._ready: OrderedDict[Key, None] = OrderedDict()
        self._active: set[Key] = set()
        self._again: set[Key] = set()
        """active ones that were added meanwhile"""
        self._later: list[tuple[float, int, Key]] = []
        """heap of (moment, order, key); an entry that `_moments` does not name is out of date"""
        self._moments: dict[Key, float] = {}
        self._order = itertools.count()
        self._failures: dict[Key, int] = {}
        self._shut = False
        self._changed = threading.Condition()

    def add(self, key: Key) -> None:
        """Let a pass for `key` come as soon as a worker is free."""
        with self._changed:
            self._add(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Let a pass for `key` come in `seconds`; of several times the earliest holds."""
        with self._changed:
            self._add_after(key, seconds)

    def retry(self, key: Key, at_least: float = 0.0) -> float:
        """Let a pass for `key` come after its back-off, which grows with each call until `forget`; return the seconds.

        `at_least` is what the API server asked for (Retry-After).
        """
        with self._changed:
            self._failures[key] = failures = self._failures.get(key, 0) + 1
            wait = max(at_least, self._backoff.seconds(failures, self._chance), self._bucket.reserve(self._clock()))
            self._add_after(key, wait)
            return wait

    def forget(self, key: Key) -> None:
        """End the back-off of `key`: its pass went well."""
        with self._changed:
            self._failures.pop(key, None)

    def failures(self, key: Key) -> int:
        """How often in a row `key` was given back by `retry`."""
        with self._changed:
            return self._failures.get(key, 0)

    def get(self, timeout: float | None = None) -> Key | None:
        """Wait for a key and make it active; None after `timeout` seconds or when the queue was shut down."""
        deadline = None if timeout is None else self._clock() + timeout
        with self._changed:
            while not self._shut:
                self._promote()
                if self._ready:
                    key, _ = self._ready.popitem(last=False)
                    self._active.add(key)
                    return key
                wait = self._seconds_to_wait(deadline)
                if wait is not None and wait <= 0:
                    return None
                self._changed.wait(wait)
            return None

    def done(self, key: Key) -> None:
        """End the pass of `key`; it is ready again when it was added meanwhile."""
        with self._changed:
            self._active.discard(key)
            if key in self._again:
                self._again.discard(key)
                self._add(key)

    def shut_down(self) -> None:
        """Give out nothing more; every `get` returns None."""
        with self._changed:
            self._shut = True
            self._changed.notify_all()

    @property
    def depth(self) -> int:
        """How many keys are ready and no worker has them."""
        with self._changed:
            self._promote()
            return len(self._ready)

    @property
    def idle(self) -> bool:
        """Whether no key is ready and no worker has one."""
        with self._changed:
            self._promote()
            return not self._ready and not self._active

    @property
    def waiting(self) -> int:
        """How many keys wait for a time."""
        return len(self._moments)

    @property
    def active(self) -> int:
        """How many keys workers have."""
        return len(self._active)

    def _add(self, key: Key) -> None:
        if self._shut:
            return
        if key in self._active:
            self._again.add(key)
        elif key not in self._ready:
            self._ready[key] = None
            self._changed.notify()

    def _add_after(self, key: Key, seconds: float) -> None:
        if seconds <= 0:
            self._add(key)
            return
        moment = self._clock() + seconds
        if self._shut or self._moments.get(key, moment + 1) <= moment:
            return
        self._moments[key] = moment
        heapq.heappush(self._later, (moment, next(self._order), key))
        self._changed.notify()

    def _promote(self) -> None:
        """Make ready whose time has come."""
        now = self._clock()
        while self._later and self._later[0][0] <= now:
            moment, _, key = heapq.heappop(self._later)
            if self._moments.get(key) == moment:
                del self._moments[key]
                self._add(key)

    def _seconds_to_wait(self, deadline: float | None) -> float | None:
        now = self._clock()
        moments = [moment for moment in (deadline, self._later[0][0] if self._later else None) if moment is not None]
        if deadline is not None and deadline <= now:
            return 0.0
        return max(min(moments) - now, 0.001) if moments else None
