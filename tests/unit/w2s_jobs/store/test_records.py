"""Raw records, whatever the format of their file."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.store.records import read_records


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", b'{"q": "1"}\n\n{"q": "2"}\n'),
        ("a.json", b'{"q": "1"}\n\n{"q": "2"}\n'),
        ("a.jsonl.gz", b'{"q": "1"}\n\n{"q": "2"}\n'),
        ("a.csv", b"q\n1\n\n2\n"),
        ("a.csv.gz", b"\xef\xbb\xbfq\n1\n\n2\n"),
    ],
)
def test_a_format_is_told_by_the_suffix(tmp_path: Path, name: str, content: bytes) -> None:
    assert [record for _, record in read_records(written(tmp_path, name, content))] == [{"q": "1"}, {"q": "2"}]


def test_a_json_file_may_be_a_list(tmp_path: Path) -> None:
    path = written(tmp_path, "a.json", b' \n[{"q": 1},\n {"q": 2}]')
    assert list(read_records(path)) == [(1, {"q": 1}), (2, {"q": 2})]


def test_a_record_of_a_csv_file_is_numbered_by_its_first_line(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", b'q,a\n"one\ntwo",x\nthree,y\n')
    assert list(read_records(path)) == [(2, {"q": "one\ntwo", "a": "x"}), (4, {"q": "three", "a": "y"})]


def test_a_table_without_header_gives_its_cells(tmp_path: Path) -> None:
    path = written(tmp_path, "a.tsv", b'one\t"two\n\nx\ty\t\n')
    assert list(read_records(path)) == [(1, {"cells": ["one", '"two']}), (3, {"cells": ["x", "y", ""]})]


@pytest.mark.parametrize(
    ("name", "content", "line", "reason"),
    [
        ("a.csv", b"q,a\nx,y\nx\n", 3, "1 cells, the header has 2"),
        ("a.csv", b"q,a\nx,\xff\n", 2, "invalid start byte"),
        ("a.csv", b"q,a\n" + b"x" * 200_000 + b",y\n", 2, "field larger than field limit"),
        ("a.json", b"[{", 1, "Expecting property name"),
        ("a.tsv", b"x\xff\ty\n", 1, "invalid start byte"),
        ("a.jsonl", b'{"q": 1}\n{"q"\n', 2, "delimiter"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(
    tmp_path: Path, name: str, content: bytes, line: int, reason: str
) -> None:
    errors = [(n, str(r)) for n, r in read_records(written(tmp_path, name, content)) if isinstance(r, ValueError)]
    assert len(errors) == 1
    assert errors[0][0] == line
    assert reason in errors[0][1]


def test_another_suffix_is_refused_with_those_that_are_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a.xml: expected one of .jsonl, .json, .parquet, .csv, .tsv, .txt"):
        list(read_records(written(tmp_path, "a.xml", b"x")))
