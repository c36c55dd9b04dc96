"""The parts of the page that hold an analysis: figures, what is seen on them, and the numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from w2s_jobs.engines.reporting.canvas import Panel
from w2s_jobs.engines.reporting.tables import Table

__all__ = ["Block", "LegendEntry", "Section"]


@dataclass(frozen=True)
class LegendEntry:
    """What a mark in all panels of a figure stands for."""

    glyph: str
    """glyph that looks like the mark, or nothing for a patch"""
    colour: str
    """colour as CSS"""
    label: str


@dataclass(frozen=True)
class Block:
    """Figures with one caption, and their table."""

    panels: Sequence[Panel]
    caption: str
    tables: tuple[Table, ...] = ()
    note: str = ""
    each: Sequence[Panel] = ()
    """each: panels that show a part each of what the figures show together"""
    each_summary: str = "Each capability"
    each_small: bool = True
    """four of them fit side by side"""
    each_open: bool = True
    """shown at once; else folded away until they are asked for"""
    legend: tuple[LegendEntry, ...] = ()
    title: str = ""
    """title, where a section holds several analyses"""


@dataclass(frozen=True)
class Section:
    """A section of the page."""

    id: str
    nav: str
    """nav: its name among the links at the top"""
    title: str
    blocks: tuple[Block, ...]
