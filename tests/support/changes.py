"""What an informer told, and waiting for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Changes"]

Object = dict[str, Any]


class Changes:
    """A listener of an informer that keeps what it hears: give it to `on_change`."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, int]] = []
        """(ADDED, MODIFIED or DELETED; name; resourceVersion; of a deletion the last one known)"""
        self._changed = threading.Condition()

    def __call__(self, old: Object | None, new: Object | None) -> None:
        kind = "DELETED" if new is None else "MODIFIED" if old else "ADDED"
        metadata = (new or old or {})["metadata"]
        with self._changed:
            self.heard.append((kind, metadata["name"], int(metadata["resourceVersion"])))
            self._changed.notify_all()

    def kinds(self, name: str) -> list[str]:
        """What happened to one object, in order."""
        with self._changed:
            return [kind for kind, of, _ in self.heard if of == name]

    def wait_for(self, is_there: Callable[[], bool], timeout: float = 60) -> None:
        """Wait until something is so; asked after each change."""
        with self._changed:
            assert self._changed.wait_for(is_there, timeout), f"not in {timeout} s; heard {self.heard[-20:]}"

    def wait_for_kinds(self, name: str, *kinds: str) -> None:
        """Wait until exactly this happened to an object."""
        self.wait_for(lambda: [kind for kind, of, _ in self.heard if of == name] == list(kinds))
