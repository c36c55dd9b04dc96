"""What a process remembers of an experiment between passes. Nothing here is needed: a new process learns it again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from controller.kube.backoff import Backoff

__all__ = ["Memory"]

_TRIES = 5
"""How often the result of a Complete Job is asked for before it counts as missing"""
_PAUSE = 1.0
"""Seconds between two such questions"""
_REFRESH_SECONDS = 600.0
"""Seconds after which the store is asked for everything again: somebody may have invalidated what was done"""
_GRACE_SECONDS = 60.0
"""How long a Job may go on whose step has a result: a worker ends right after it wrote that"""


_QUOTA_SECONDS = 600.0
"""How long after a quota's last refusal Jobs are still created one at a time"""
_STORE_BACKOFF = Backoff(first=2.0, cap=60.0)


@dataclass
class Memory:
    """Of one experiment, in one process."""

    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    generation: int = -1
    """generation for which the store was asked"""
    asked: float = float("-inf")
    """when it was asked for everything"""
    written: float = float("-inf")
    """when its status was written last"""
    turn: float | None = None
    """when the change that its status holds back may be written; None where none is held back"""
    refused: dict[str, str] = field(default_factory=dict)
    """what the API server said when it refused the Job of a step, by key"""
    done: frozenset[str] | None = None
    """keys of the steps that were done in the last pass; None before the first one"""
    unreachable: int = 0
    """how often in a row the store could not be asked"""
    refused_by_quota: float = float("-inf")
    """when a quota was last seen to refuse pods"""
    _exceeded: frozenset[str] = frozenset()
    _absent: dict[str, tuple[int, float]] = field(default_factory=dict)
    """how often the result of a Complete Job was not there, and when that was seen last"""
    _ending: dict[str, float] = field(default_factory=dict)
    """when a Job was first seen to run with its result there, by key"""

    def must_refresh(self, generation: int) -> bool:
        """Tell whether the store is to be asked for everything."""
        return self.generation != generation or self.clock() - self.asked >= _REFRESH_SECONDS

    def note_refresh(self, generation: int) -> None:
        """Note that the store has answered for everything."""
        self.generation, self.asked = generation, self.clock()

    def note_reached(self) -> None:
        """Note that the store answered whatever was asked: its next failure is a first one."""
        self.unreachable = 0

    def note_unreachable(self) -> float:
        """Note that the store could not be asked; return the seconds until it is asked again."""
        self.unreachable += 1
        return _STORE_BACKOFF.seconds(self.unreachable, self.chance)

    def note_quota(self, exceeded: frozenset[str]) -> None:
        """Note that a quota refuses pods, and of what it has too little left."""
        self.refused_by_quota = self.clock()
        self._exceeded = exceeded

    @property
    def tight(self) -> frozenset[str]:
        """Resources of which a quota had too little left not long ago."""
        is_recent = self.clock() - self.refused_by_quota < _QUOTA_SECONDS
        return self._exceeded if is_recent else frozenset()

    def keep_refused(self, wanted: AbstractSet[str]) -> None:
        """Forget what was said of Jobs that nobody wants any more."""
        for key in self.refused.keys() - wanted:
            del self.refused[key]

    def to_ask(self, complete: AbstractSet[str]) -> list[str]:
        """Return those steps whose pods are done and whose result is to be asked for now; forget all others."""
        now = self.clock()
        self._absent = {key: seen for key, seen in self._absent.items() if key in complete}
        return [
            key
            for key in complete
            if key not in self._absent or (self._absent[key][0] < _TRIES and now - self._absent[key][1] >= _PAUSE)
        ]

    def note_answers(self, asked: Iterable[str], done: AbstractSet[str]) -> None:
        """Note which of the results that were asked for are not there."""
        for key in asked:
            if key in done:
                self._absent.pop(key, None)
            else:
                tries, _ = self._absent.get(key, (0, 0.0))
                self._absent[key] = (tries + 1, self.clock())

    def may_end(self, finished: Iterable[str]) -> frozenset[str]:
        """Return those finished steps with a Job that still runs whose Job is left to end by itself.

        It is the memory that the work was this experiment's. One that goes on much longer computes what others (in
        another namespace, with the same store) have computed meanwhile.
        """
        now = self.clock()
        self._ending = {key: self._ending.get(key, now) for key in finished}
        return frozenset(key for key, since in self._ending.items() if now - since < _GRACE_SECONDS)

    @property
    def ending(self) -> bool:
        """Whether a Job is left to end by itself."""
        return bool(self._ending)

    @property
    def missing(self) -> frozenset[str]:
        """Keys whose result was asked for often enough, and never came."""
        return frozenset(key for key, (tries, _) in self._absent.items() if tries >= _TRIES)

    @property
    def next_question(self) -> float | None:
        """Seconds until a result is asked for again, None when none is awaited."""
        waits = [_PAUSE - (self.clock() - seen) for tries, seen in self._absent.values() if tries < _TRIES]
        return max(0.0, min(waits)) if waits else None
