"""What a person sees of a run: the protocol, and the plain view that writes one line an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.markup import escape

from w2s_jobs.contracts.artifact import Progress

__all__ = ["Counts", "Failure", "PlainView", "RunningStep", "View", "duration"]


@dataclass(frozen=True)
class Counts:
    """Steps of the plan by what became of them; together they are all steps."""

    computed: int
    reused: int
    running: int
    waiting: int
    failed: int
    blocked: int

    @property
    def total(self) -> int:
        """All steps of the plan."""
        return self.computed + self.reused + self.running + self.waiting + self.failed + self.blocked


@dataclass(frozen=True)
class RunningStep:
    """A step that has processes now."""

    name: str
    processes: int
    seconds: float
    progress: Progress | None


@dataclass(frozen=True)
class Failure:
    """A failed attempt."""

    name: str
    number: int
    exit_code: int
    log: Path
    message: str
    """error that the step printed"""
    tail: tuple[str, ...]
    """last lines of the log before it"""


class View(Protocol):
    """Told about everything that happens; draws at `refresh` what is going on."""

    redraw_seconds: float | None
    """seconds between two drawings; None draws at events only"""

    def __enter__(self) -> View: ...
    def __exit__(self, *exc: object) -> None: ...

    def say(self, text: str) -> None:
        """Print a line that stays."""

    def started(self, name: str, number: int) -> None:
        """Tell that attempt `number` began."""

    def finished(self, name: str, seconds: float, counts: Counts) -> None:
        """Tell that a step is done."""

    def failed(self, failure: Failure, retry_in: float | None) -> None:
        """Tell that an attempt failed; `retry_in` seconds until the next one, None when there is none."""

    def refresh(self, counts: Counts, running: Sequence[RunningStep], elapsed: float) -> None:
        """Draw the present state."""


class PlainView:
    """One line an event, for logs and pipes."""

    redraw_seconds: float | None = None

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> View:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._console.print(escape(text), highlight=False, soft_wrap=True)

    def started(self, name: str, number: int) -> None:
        """Print the name."""
        self.say(f"started   {name}" + (f" (attempt {number})" if number > 1 else ""))

    def finished(self, name: str, seconds: float, counts: Counts) -> None:
        """Print the name, the time it took and how far the run is."""
        done = counts.computed + counts.reused
        self.say(f"finished  {name} in {duration(seconds)} ({done}/{counts.total})")

    def failed(self, failure: Failure, retry_in: float | None) -> None:
        """Print the error; where no other attempt follows, the end of the log and its place too."""
        if retry_in is not None:
            self.say(f"retrying  {failure.name} in {duration(retry_in)}: {failure.message}")
            return
        self.say(f"failed    {failure.name} (exit code {failure.exit_code})")
        self.say(f"  {failure.message}")
        for line in failure.tail:
            self.say(f"  | {line}")
        self.say(f"  whole log: {failure.log}")

    def refresh(self, counts: Counts, running: Sequence[RunningStep], elapsed: float) -> None:
        """Nothing to draw between events."""


def duration(seconds: float) -> str:
    """Write a length of time as a person reads it: `0.4 s`, `12 s`, `3:05`, `1:02:03`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
