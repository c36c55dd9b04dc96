"""The parts of the page that hold an analysis: figures, what is seen on them, and the numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from w2s_jobs.engines.reporting.canvas import Panel
from w2s_jobs.engines.reporting.tables import Table

__all__ = ["Block", "Section"]


@dataclass(frozen=True)
class Block:
    """Figures with one caption, and their table."""

    panels: Sequence[Panel]
    caption: str
    tables: tuple[Table, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A section of the page."""

    id: str
    nav: str
    """nav: its name among the links at the top"""
    title: str
    blocks: tuple[Block, ...]
