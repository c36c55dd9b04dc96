from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.steps import Bench
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.store.s3_client import S3Clients


def a_record(number: int) -> str:
    return json.dumps({"question": f"What is {number} + 1?", "answer": f"It is {number + 1}.\n#### {number + 1}"})


def write_gsm8k(folder: Path, train: int = 20, test: int = 5) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    (folder / "train.jsonl").write_text("\n".join(a_record(n) for n in range(train)) + "\n")
    (folder / "test.jsonl").write_text("\n".join(a_record(n) for n in range(1000, 1000 + test)) + "\n")
    return {"path": str(folder)}


def params(source: dict[str, Any], split: str, part: str = "questions", **changes: Any) -> dict[str, Any]:
    splits = changes.pop("splits", {"labelled": 5, "unlabelled": 10, "seed": 1})
    family = changes.pop("family", "gsm8k")
    return {"task": {"family": family}, "source": source, "splits": splits, "split": split, "part": part, **changes}


def ids(bench: Bench, values: dict[str, Any]) -> list[str]:
    result = bench.run("prepare", values, {})
    name, schema = ("questions.parquet", "questions") if values["part"] == "questions" else ("examples.parquet",) * 2
    return [row["row_id"] for row in bench.rows(result, name, schema.removesuffix(".parquet"))]


def test_splits_are_disjoint_and_the_same_every_time(bench: Bench, tmp_path: Path) -> None:
    source = write_gsm8k(tmp_path / "data")
    labelled, unlabelled, test = (ids(bench, params(source, split)) for split in ("labelled", "unlabelled", "test"))
    assert (len(labelled), len(unlabelled), len(test)) == (5, 10, 5)
    assert not set(labelled) & set(unlabelled)
    assert not (set(labelled) | set(unlabelled)) & set(test)
    assert ids(Bench(tmp_path / "again"), params(source, "labelled")) == labelled


def test_scan_splits_come_from_one_pool_and_are_disjoint(bench: Bench) -> None:
    splits = {"pretrain": 50, "labelled": 40, "unlabelled": 30, "test": 20}
    found = [
        ids(bench, params({"generated": True}, split, family="scan", splits=splits))
        for split in ("pretrain", "labelled", "unlabelled", "test")
    ]
    assert [len(part) for part in found] == [50, 40, 30, 20]
    assert len({row for part in found for row in part}) == 140


def test_calibration_and_extra_test_rows_are_apart_from_all_others_and_change_none_of_them(
    bench: Bench, tmp_path: Path
) -> None:
    before = {"pretrain": 50, "labelled": 40, "unlabelled": 30, "test": 20}
    splits = {**before, "calibration": 25, "extraTest": 15}
    scan = {"family": "scan", "splits": splits}
    found = {name: ids(bench, params({"generated": True}, name, **scan)) for name in splits}
    assert {name: len(rows) for name, rows in found.items()} == splits
    assert len({row for rows in found.values() for row in rows}) == sum(splits.values())
    apart = Bench(tmp_path / "apart")
    for name in before:
        alone = params({"generated": True}, name, family="scan", splits=before)
        assert ids(apart, alone) == found[name]


def test_the_extra_test_questions_are_the_test_records_that_test_leaves(bench: Bench, tmp_path: Path) -> None:
    source = write_gsm8k(tmp_path / "data", test=8)
    splits = {"labelled": 5, "unlabelled": 10, "test": 3, "extraTest": None}
    test, extra = (ids(bench, params(source, name, splits=splits)) for name in ("test", "extraTest"))
    everything = ids(Bench(tmp_path / "all"), params(source, "test", splits={"labelled": 5, "unlabelled": 10}))
    assert (len(test), len(extra)) == (3, 5)
    assert sorted(test + extra) == sorted(everything)


def test_a_split_without_a_size_takes_what_the_others_leave(bench: Bench) -> None:
    splits = {"labelled": 10, "unlabelled": 20_000}
    assert len(ids(bench, params({"generated": True}, "test", family="scan", splits=splits))) == 900


def test_two_splits_of_one_pool_without_a_size_are_refused(bench: Bench) -> None:
    with pytest.raises(InputError, match="splits test and unlabelled come from one pool and have no size"):
        ids(bench, params({"generated": True}, "test", family="scan", splits={"labelled": 10}))


def test_questions_hold_no_gold_and_gold_is_about_the_same_rows(bench: Bench, tmp_path: Path) -> None:
    source = write_gsm8k(tmp_path / "data")
    result = bench.run("prepare", params(source, "unlabelled"), {})
    assert [file.name for file in result.files] == ["questions.parquet"]
    questions = bench.rows(result, "questions.parquet", "questions")
    assert set(questions[0]) == {"row_id", "question", "level", "topic"}
    assert ids(bench, params(source, "unlabelled", "gold")) == [row["row_id"] for row in questions]


def test_row_ids_do_not_depend_on_the_order_of_the_file(bench: Bench, tmp_path: Path) -> None:
    source = write_gsm8k(tmp_path / "data")
    everything = params(source, "unlabelled", splits={"unlabelled": None})
    before = ids(bench, everything)
    file = tmp_path / "data" / "train.jsonl"
    file.write_text("\n".join(reversed(file.read_text().splitlines())))
    assert ids(Bench(tmp_path / "again"), everything) == before


def test_a_question_that_repeats_in_the_train_file_is_in_one_split_only(bench: Bench, tmp_path: Path) -> None:
    source = write_gsm8k(tmp_path / "data")
    with (tmp_path / "data" / "train.jsonl").open("a") as stream:
        stream.writelines(a_record(n) + "\n" for n in range(20))
    splits = {"labelled": 8, "calibration": 4, "unlabelled": None}
    found = {}
    for split in splits:
        result = bench.run("prepare", params(source, split, splits=splits), {})
        found[split] = {row["question"] for row in bench.rows(result, "questions.parquet", "questions")}
        assert result.metrics["repeatedRecords"] == 20
    assert {split: len(rows) for split, rows in found.items()} == {"labelled": 8, "calibration": 4, "unlabelled": 8}
    assert not found["unlabelled"] & (found["labelled"] | found["calibration"]), "its gold would be known"


def test_train_records_whose_question_is_tested_are_left_out_and_counted(bench: Bench, tmp_path: Path) -> None:
    source = write_gsm8k(tmp_path / "data")
    with (tmp_path / "data" / "train.jsonl").open("a") as stream:
        stream.write(a_record(1001) + "\n")
    result = bench.run("prepare", params(source, "unlabelled", splits={"unlabelled": None}), {})
    assert result.metrics == {"rows": 20, "skippedRecords": 0, "repeatedRecords": 1}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"question": "broken', "the line cannot be read"),
        ("[1, 2]", "expected an object with fields, got list"),
        ('{"question": "x"}', "answer: expected a solution that ends in '#### number'; got None"),
        ('{"question": "", "answer": "#### 1"}', "question: expected a text; got ''"),
        ('{"question": "x", "answer": "#### one"}', "answer: expected a number after '####'"),
        ('{"question": "half of a pair: \\ud800", "answer": "#### 1"}', "the text cannot be written as UTF-8"),
        ("[" * 100_000, "the line cannot be read"),
    ],
)
def test_a_bad_record_is_named_with_file_and_line(bench: Bench, tmp_path: Path, line: str, reason: str) -> None:
    source = write_gsm8k(tmp_path / "data")
    with (tmp_path / "data" / "train.jsonl").open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(InputError) as caught:
        bench.run("prepare", params(source, "unlabelled"), {})
    assert "train.jsonl, line 21: " in str(caught.value)
    assert reason in str(caught.value)
    assert "onBadRecord: skip" in str(caught.value)
    skipped = bench.run("prepare", params(source, "unlabelled", onBadRecord="skip"), {})
    assert skipped.metrics["skippedRecords"] == 1


def test_a_wrong_checksum_names_file_and_both_sums(bench: Bench, tmp_path: Path) -> None:
    source = write_gsm8k(tmp_path / "data")
    content = (tmp_path / "data" / "train.jsonl").read_bytes()
    right = hashlib.sha256(content).hexdigest()
    bench.run("prepare", params({**source, "sha256": {"train.jsonl": right}}, "unlabelled"), {})
    with pytest.raises(
        InputError, match=f"dataset file train.jsonl .* sha256 is {right}, the manifest says {'0' * 64}"
    ):
        bench.run("prepare", params({**source, "sha256": {"train.jsonl": "0" * 64}}, "labelled"), {})


def test_a_split_that_is_too_large_says_what_there_is(bench: Bench, tmp_path: Path) -> None:
    source = write_gsm8k(tmp_path / "data")
    with pytest.raises(InputError, match="split unlabelled wants 50 rows, but 20 of 20 are left"):
        bench.run("prepare", params(source, "unlabelled", splits={"unlabelled": 50}), {})


def test_a_missing_file_is_named(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file test.jsonl or test.parquet; name the file"):
        bench.run("prepare", params({"path": str(tmp_path)}, "test"), {})


def test_packed_lines_and_parquet_hold_the_same_rows(bench: Bench, tmp_path: Path) -> None:
    source = write_gsm8k(tmp_path / "data")
    whole = params(source, "unlabelled", splits={"unlabelled": None})
    plain = ids(bench, whole)
    content = (tmp_path / "data" / "train.jsonl").read_bytes()
    (tmp_path / "data" / "train.jsonl.gz").write_bytes(gzip.compress(content))
    records = [json.loads(line) for line in content.splitlines()]
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "data" / "train.parquet")
    for name in ("train.jsonl.gz", "train.parquet"):
        assert ids(bench, {**whole, "source": {**source, "train": name}}) == plain


def test_a_prefix_in_s3_is_read_like_a_folder(s3_environment: Any, tmp_path: Path) -> None:
    bucket = s3_environment.bucket()
    source = write_gsm8k(tmp_path / "data")
    bench = Bench(tmp_path)
    bench.settings = bench.settings.model_copy(update={"endpoint": s3_environment.endpoint})
    for name in ("train.jsonl", "test.jsonl"):
        S3Clients(bench.settings).upload(tmp_path / "data" / name, bucket, f"sets/{name}")
    assert ids(bench, params({"s3": f"s3://{bucket}/sets"}, "test")) == ids(bench, params(source, "test"))


def test_the_checksum_of_a_file_in_a_folder_below_is_checked_too(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write_gsm8k(tmp_path / "data" / "inner")
    source = {
        "path": str(tmp_path / "data"),
        "train": "inner/train.jsonl",
        "test": "inner/test.jsonl",
        "sha256": {"inner/train.jsonl": "0" * 64},
    }
    with pytest.raises(InputError, match=f"dataset file inner/train.jsonl .* the manifest says {'0' * 64}"):
        bench.run("prepare", params(source, "labelled"), {})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("train.parquet", b"PAR1 this is none PAR1"),
        ("train.jsonl.gz", gzip.compress(("\n".join(a_record(n) for n in range(2000))).encode())[:-100]),
        ("train.jsonl.gz", b"not packed at all\n"),
    ],
)
def test_a_data_file_that_is_damaged_as_a_whole_is_named(
    bench: Bench, tmp_path: Path, name: str, content: bytes
) -> None:
    source = write_gsm8k(tmp_path / "data")
    (tmp_path / "data" / name).write_bytes(content)
    with pytest.raises(InputError, match=f"data/{name} cannot be read .*: .*; restore the file"):
        bench.run("prepare", params({**source, "train": name}, "labelled", onBadRecord="skip"), {})
