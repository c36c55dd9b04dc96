"""prepare: read a dataset, split it, and write one part of one split. Gold never lies beside the questions."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.step_params import PrepareParams
from w2s_jobs.store.records import read_records
from w2s_jobs.store.rows import write_rows
from w2s_jobs.store.sources import find_source_file
from w2s_jobs.tasks.examples import gold_example
from w2s_jobs.tasks.family import BadRecordError, JoinsRecords, Row, TaskFamily
from w2s_jobs.tasks.registry import get_family
from w2s_jobs.tasks.splits import SplitError, draw_split, row_ids

__all__ = ["run"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Pool:
    """The usable records of a source. `test` is None where one pool serves all splits."""

    train: list[Row]
    test: list[Row] | None
    skipped: int = 0
    """records set aside because they cannot be read"""
    repeated: int = 0
    """train records left out because their question is in the test records, or in an earlier record"""


def run(context: StepContext, params: PrepareParams) -> Outcome:
    """Write `questions.parquet`, or `examples.parquet` for gold."""
    family = get_family(params.task)
    pool = _read_pool(context, params, family)
    try:
        chosen = draw_split(
            params.splits, params.split, train=len(pool.train), test=None if pool.test is None else len(pool.test)
        )
    except SplitError as error:
        raise InputError(f"dataset of {family.name}: {error}") from error
    tested = pool.test if params.split in ("test", "extraTest") else None
    records = pool.train if tested is None else tested
    ids = row_ids(family.name, records)
    rows = sorted(((ids[index], records[index]) for index in chosen), key=lambda pair: pair[0])
    name, path = _write(context.work_dir, params, family, rows)
    context.progress(len(rows), len(rows), "rows")
    metrics = {"rows": len(rows), "skippedRecords": pool.skipped, "repeatedRecords": pool.repeated}
    return Outcome(files={name: path}, metrics=metrics)


def _write(work_dir: Path, params: PrepareParams, family: TaskFamily, rows: list[tuple[str, Row]]) -> tuple[str, Path]:
    if params.part == "questions":
        table = [
            {"row_id": row_id, "question": row.question, "level": row.level, "topic": row.topic} for row_id, row in rows
        ]
        return "questions.parquet", write_rows(work_dir / "questions.parquet", "questions", table)
    gold = [gold_example(row_id, row, family, params.completion) for row_id, row in rows]
    return "examples.parquet", write_rows(work_dir / "examples.parquet", "examples", gold)


def _read_pool(context: StepContext, params: PrepareParams, family: TaskFamily) -> _Pool:
    source = params.source
    if source.generated:
        return _Pool(train=list(family.generate()), test=None)
    store = context.spec.store
    if source.pool is not None:
        path = find_source_file(source, source.pool, (), context.work_dir, store)
        rows, skipped = _read_file(path, family, params.on_bad_record)
        unique = _first_of_each(rows)
        return _Pool(unique, None, skipped=skipped, repeated=len(rows) - len(unique))
    test_path = find_source_file(source, source.test, family.test_files, context.work_dir, store)
    train_path = find_source_file(source, source.train, family.train_files, context.work_dir, store)
    test, test_skipped = _read_file(test_path, family, params.on_bad_record)
    train, train_skipped = _read_file(train_path, family, params.on_bad_record)
    asked = {row.question for row in test}
    clean = _first_of_each(row for row in train if row.question not in asked)
    if len(clean) < len(train):
        log.info("left out %d train records whose question is in the test records or repeats", len(train) - len(clean))
    return _Pool(clean, test, skipped=test_skipped + train_skipped, repeated=len(train) - len(clean))


def _first_of_each(rows: Iterable[Row]) -> list[Row]:
    """Keep a question once: in two splits, its gold would be known in the one and hidden in the other."""
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row.question, row)
    return list(first.values())


def _read_file(path: Path, family: TaskFamily, on_bad_record: str) -> tuple[list[Row], int]:
    rows: list[Row] = []
    skipped = 0
    records = read_records(path)
    for number, record in family.join(records) if isinstance(family, JoinsRecords) else records:
        try:
            rows.append(_parse(record, family))
        except BadRecordError as error:
            if on_bad_record == "stop":
                raise InputError(
                    f"{path}, line {number}: {error}; mend the line, or set dataset.onBadRecord: skip to leave it out"
                ) from error
            log.info("left out %s, line %d: %s", path.name, number, error)
            skipped += 1
    return rows, skipped


def _parse(record: object, family: TaskFamily) -> Row:
    if isinstance(record, Exception):
        raise BadRecordError(f"the line cannot be read ({record})")
    if not isinstance(record, dict):
        raise BadRecordError(f"expected an object with fields, got {type(record).__name__}")
    row = family.parse(record)
    try:
        "".join((row.question, row.answer, row.completion, row.topic or "")).encode()
    except UnicodeEncodeError as error:  # JSON may name half of a pair of code units, which is no character
        raise BadRecordError(f"the text cannot be written as UTF-8 ({error.reason})") from error
    return row
