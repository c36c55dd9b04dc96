"""Reads the records of a raw data file one by one, whatever its format."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from w2s_jobs.contracts.errors import InputError

__all__ = ["SUFFIXES", "read_records"]

SUFFIXES = (".jsonl", ".json", ".parquet", ".csv", ".tsv", ".txt")
"""Each but Parquet may end in `.gz` too."""


def read_records(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield (line from 1, record); in Parquet and in a JSON list the line is the number of the record.

    A line of text is {"text": line}, one of a `.tsv` file (no header) {"cells": [cell, ...]}. A line that cannot be
    read yields the ValueError that says why.

    Raises
    ------
    InputError
        The file is of no known kind, or damaged as a whole: where its lines are cannot be told any more.
    """
    try:
        yield from _read_any(path)
    except (ValueError, EOFError, gzip.BadGzipFile, zlib.error, csv.Error) as error:
        kind = "".join(path.suffixes[-2:])
        raise InputError(f"dataset file {path} cannot be read as {kind}: {error}; restore the file") from error


def _read_any(path: Path) -> Iterator[tuple[int, Any]]:
    name = path.name.removesuffix(".gz")
    if path.name.endswith(".parquet"):
        yield from enumerate(_read_parquet(path), start=1)
        return
    with cast("BinaryIO", gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")) as stream:
        if name.endswith(".csv"):
            yield from _read_csv(stream)
        elif name.endswith(".json") and _starts_a_list(stream):
            yield from _read_list(stream)
        elif name.endswith((".jsonl", ".json", ".tsv", ".txt")):
            yield from _read_lines(stream, Path(name).suffix)
        else:
            raise InputError(f"dataset file {path}: expected one of {', '.join(SUFFIXES)}, or .gz of one")


def _read_parquet(path: Path) -> list[dict[str, Any]]:
    import pyarrow as pa  # only Parquet sources need it
    import pyarrow.parquet as pq

    try:
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    except (pa.ArrowException, OSError) as error:  # Arrow calls broken Parquet the one or the other
        raise ValueError(str(error)) from error
    return rows


def _read_csv(stream: BinaryIO) -> Iterator[tuple[int, Any]]:
    """Read cells that may span lines; a record's number is that of the line on which it starts."""
    broken: list[ValueError] = []
    reader = csv.reader(_decode(stream, broken))
    header: list[str] | None = None
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield start, ValueError(str(error))
            continue
        if broken:
            yield start, broken[0]
            broken.clear()
        elif header is None:
            header = cells
        elif cells:
            yield start, _csv_record(header, cells)


def _decode(stream: BinaryIO, broken: list[ValueError]) -> Iterator[str]:
    """Yield lines of text; the errors of those that are no UTF-8 are added to `broken`."""
    for number, line in enumerate(stream):
        try:
            yield line.decode("utf-8" if number else "utf-8-sig")
        except ValueError as error:
            broken.append(error)
            yield line.decode("utf-8", errors="replace")


def _csv_record(header: list[str], cells: list[str]) -> dict[str, str] | ValueError:
    if len(cells) != len(header):
        return ValueError(f"{len(cells)} cells, the header has {len(header)}")
    return dict(zip(header, cells, strict=True))


def _starts_a_list(stream: BinaryIO) -> bool:
    """Tell a JSON list from JSON lines (CREAK and others call both `.json`)."""
    start = stream.read(64).lstrip()[:1]
    stream.seek(0)
    return start == b"["


def _read_list(stream: BinaryIO) -> Iterator[tuple[int, Any]]:
    try:
        records = json.load(stream)
    except (ValueError, RecursionError) as error:
        yield 1, error if isinstance(error, ValueError) else ValueError("nested too deeply")
        return
    yield from enumerate(records, start=1)


def _read_lines(stream: BinaryIO, suffix: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            text = line.decode("utf-8")
            yield number, _record(text, suffix)
        except ValueError as error:  # broken UTF-8 or broken JSON
            yield number, error
        except RecursionError:
            yield number, ValueError("nested too deeply")


def _record(text: str, suffix: str) -> Any:
    if suffix == ".tsv":
        return {"cells": text.rstrip("\r\n").split("\t")}
    return {"text": text.strip()} if suffix == ".txt" else json.loads(text)
