"""Writes the machine-readable files of a report."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from w2s_jobs.contracts.model import Contract
from w2s_jobs.core.analysis.csv_rows import Cell

__all__ = ["write_csv", "write_json"]


def write_json(path: Path, value: Contract) -> Path:
    """Write a declared type as JSON and return the path."""
    path.write_text(value.model_dump_json(by_alias=True, indent=1) + "\n", encoding="utf-8")
    return path


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Path:
    """Write rows under a line of column names and return the path; None is an empty cell."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    return path
