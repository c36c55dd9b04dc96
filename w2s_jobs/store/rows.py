"""Rows as Parquet files: the schemas of contracts/steps.py, and how they are read and written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from w2s_jobs.contracts.errors import InputError

__all__ = ["SCHEMAS", "read_columns", "read_rows", "row_files", "stream_rows", "write_rows"]

_LEVEL_TOPIC = [pa.field("level", pa.int32()), pa.field("topic", pa.string())]

SCHEMAS: dict[str, pa.Schema] = {
    "questions": pa.schema([pa.field("row_id", pa.string()), pa.field("question", pa.string()), *_LEVEL_TOPIC]),
    "examples": pa.schema(
        [
            pa.field("row_id", pa.string()),
            pa.field("question", pa.string()),
            pa.field("completion", pa.string()),
            pa.field("answer", pa.string()),
            pa.field("confidence_count", pa.int32()),
            pa.field("confidence_total", pa.int32()),
        ]
    ),
    "samples": pa.schema(
        [
            pa.field("row_id", pa.string()),
            pa.field("sample", pa.int32()),
            pa.field("text", pa.string()),
            pa.field("finish_reason", pa.string()),
            pa.field("tokens", pa.int32()),
        ]
    ),
    "answers": pa.schema(
        [
            pa.field("row_id", pa.string()),
            pa.field("sample", pa.int32()),
            pa.field("answer", pa.string()),
            pa.field("group", pa.int32()),
        ]
    ),
    "votes": pa.schema(
        [
            pa.field("row_id", pa.string()),
            pa.field("answer", pa.string()),
            pa.field("count", pa.int32()),
            pa.field("valid", pa.int32()),
            pa.field("total", pa.int32()),
            pa.field("sample", pa.int32()),
            pa.field("text", pa.string()),
            pa.field("chain_of_thought", pa.bool_()),
        ]
    ),
    "pairs": pa.schema(
        [
            pa.field("row_id", pa.string()),
            pa.field("question", pa.string()),
            pa.field("completion", pa.string()),
            pa.field("positive", pa.bool_()),
        ]
    ),
    "partition": pa.schema(
        [
            pa.field("row_id", pa.string()),
            pa.field("weak_answer", pa.string()),
            pa.field("strong_answer", pa.string()),
            pa.field("consistent", pa.bool_()),
        ]
    ),
    "scores": pa.schema([pa.field("row_id", pa.string()), pa.field("reward", pa.float64())]),
    "scored": pa.schema(
        [
            pa.field("row_id", pa.string()),
            pa.field("answer", pa.string()),
            pa.field("gold", pa.string()),
            pa.field("correct", pa.bool_()),
            *_LEVEL_TOPIC,
        ]
    ),
}
"""Schema by name; `discarded.parquet` is questions, `kept.parquet` is examples."""


def write_rows(path: Path, schema: str, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write rows (dicts with the schema's columns) as Parquet with zstd and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(list(rows), schema=SCHEMAS[schema])
    pq.write_table(table, path, compression="zstd")
    return path


def row_files(path: Path) -> list[Path]:
    """Return the Parquet files behind a path: itself, or those of a folder in the order of their names."""
    return sorted(path.rglob("*.parquet")) if path.is_dir() else [path]


def stream_rows(path: Path, schema: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file or folder one file at a time.

    Raises
    ------
    InputError
        A file is no Parquet or lacks a column of the schema.
    """
    for file in row_files(path):
        yield from _read_table(file, schema, SCHEMAS[schema].names).to_pylist()


def read_columns(path: Path, schema: str, columns: Sequence[str]) -> dict[str, list[Any]]:
    """Read some columns of a file or folder as lists, without touching the others (texts are most of the bytes).

    Raises
    ------
    InputError
        A file is no Parquet or lacks one of the columns.
    """
    tables = [_read_table(file, schema, columns) for file in row_files(path)]
    return {name: [value for table in tables for value in table[name].to_pylist()] for name in columns}


def _read_table(file: Path, schema: str, columns: Sequence[str]) -> pa.Table:
    try:
        table = pq.read_table(file, columns=list(columns))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file}: not a readable Parquet file of {schema} rows: {error}") from error
    missing = set(columns) - set(table.column_names)
    if missing:
        raise InputError(f"{file}: {schema} rows need the columns {list(columns)}; missing: {sorted(missing)}")
    return table


def read_rows(paths: Path | Sequence[Path], schema: str) -> list[dict[str, Any]]:
    """Read all rows of one or more files or folders."""
    return [row for path in ([paths] if isinstance(paths, Path) else paths) for row in stream_rows(path, schema)]
