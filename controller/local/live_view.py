"""The live view of a terminal: a bar for each running step with its rate and the time that is left."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from controller.local.view import Counts, PlainView, RunningStep, View, duration
from w2s_jobs.contracts.artifact import Progress

__all__ = ["LiveView"]


class LiveView(PlainView):
    """Lines that stay scroll above a table of what runs now."""

    redraw_seconds: float | None = 0.5

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        # Drawn from the executor's own loop: a drawing thread would make starting processes unsafe.
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> View:
        self._live.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.stop()

    def started(self, name: str, number: int) -> None:
        """Nothing stays: the table shows it."""

    def refresh(self, counts: Counts, running: Sequence[RunningStep], elapsed: float) -> None:
        """Draw the table anew."""
        self._live.update(render_state(counts, running, elapsed), refresh=True)


def render_state(counts: Counts, running: Sequence[RunningStep], elapsed: float) -> RenderableType:
    """Draw the running steps and, below them, the counts."""
    table = Table.grid(padding=(0, 2))
    for _ in range(5):
        table.add_column(no_wrap=True)  # a step is one line: what has no room is cut, not wrapped
    for step in running:
        table.add_row(*_row(step))
    parts = [
        f"{counts.computed} done",
        f"{counts.reused} reused",
        f"{counts.running} running",
        f"{counts.waiting} waiting",
    ]
    if counts.failed:
        parts.append(f"[red]{counts.failed} failed[/red]")
    if counts.blocked:
        parts.append(f"[red]{counts.blocked} blocked[/red]")
    return Group(table, Text.from_markup(f"{' · '.join(parts)} · {duration(elapsed)}"))


def _row(step: RunningStep) -> tuple[RenderableType, ...]:
    name = Text.from_markup(f"[bold]{escape(step.name)}[/bold]" + (f" x{step.processes}" if step.processes > 1 else ""))
    elapsed = Text(duration(step.seconds), style="dim")
    if step.progress is None or not step.progress.total:
        return name, ProgressBar(total=None, width=24, pulse=True, animation_time=step.seconds), "", "", elapsed
    progress = step.progress
    bar = ProgressBar(total=progress.total, completed=progress.done, width=24)
    counted = f"{progress.done:,}/{progress.total:,} {progress.unit}"
    return name, bar, Text(counted), Text(_speed(progress), style="cyan"), elapsed


def _speed(progress: Progress) -> str:
    if not progress.rate:
        return ""
    left = (progress.total - progress.done) / progress.rate
    return f"{progress.rate:,.1f} {progress.unit}/s, {duration(left)} left"
