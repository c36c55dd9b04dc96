"""Signs of progress while files travel: whoever watches over a step learns that bytes arrive, here or elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["Sign", "growing", "no_sign"]

Sign = Callable[[], None]
"""Called at each sign of progress, from any thread"""
LOOK_SECONDS = 1.0
"""seconds between two looks at files that others write"""


def no_sign() -> None:
    """Tell nobody."""


@contextmanager
def growing(folder: Path, names: str, sign: Sign) -> Iterator[None]:
    """Give a sign whenever the files of these names (a glob) change their size while the block runs."""
    over = threading.Event()

    def look() -> None:
        last = _bytes_of(folder, names)
        while not over.wait(LOOK_SECONDS):
            if (now := _bytes_of(folder, names)) != last:
                last = now
                sign()

    looking = threading.Thread(target=look, name="growth", daemon=True)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()


def _bytes_of(folder: Path, names: str) -> int:
    total = 0
    for path in folder.glob(names):
        with suppress(OSError):
            total += path.stat().st_size
    return total
