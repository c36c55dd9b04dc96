"""Reads the paper's published numbers, which lie beside this file with a note of where they are from."""

from __future__ import annotations

import csv
from importlib.resources import files

from w2s_jobs.core.analysis.published import PublishedRow, parse_published

__all__ = ["read_published"]


def read_published() -> list[PublishedRow]:
    """Read `published.csv`."""
    text = files("w2s_jobs.engines.reporting").joinpath("published.csv").read_text(encoding="utf-8")
    return parse_published(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
