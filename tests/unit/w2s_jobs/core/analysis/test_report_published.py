from __future__ import annotations

import csv
from pathlib import Path
from typing import get_args

import pytest

from tests.conftest import SHARED, missing
from tests.support.comparison import a_point, compare_points, right
from w2s_jobs.contracts.settings import PublishedSetting
from w2s_jobs.core.analysis.published import PublishedRow, lay_beside, parse_published
from w2s_jobs.core.metrics import pgr
from w2s_jobs.engines.reporting.published_table import read_published

ROWS = read_published()
OFF = {("deepseek_math", (30, 40, 50))}
"""Table 2 prints a PGR of 120.71 % where its own accuracies (21.4 of 11.4 to 19.6) give 121.95 %."""


def baselines(row: PublishedRow) -> tuple[float, float]:
    roles = ("direct-weak", "direct-ceiling") if row.role.startswith("direct") else ("weak", "ceiling")
    same = {r.role: r.accuracy for r in ROWS if (r.setting, r.test_set) == (row.setting, row.test_set)}
    return same[roles[0]], same[roles[1]]


@pytest.mark.parametrize(
    "row", [r for r in ROWS if r.pgr is not None], ids=lambda r: f"{r.setting} {r.role}{r.thresholds}"
)
def test_every_published_pgr_follows_from_the_published_accuracies(row: PublishedRow) -> None:
    found = pgr(row.accuracy, *baselines(row)).value
    assert found is not None
    assert row.pgr is not None
    if (row.setting, row.thresholds) in OFF:
        assert abs(found - row.pgr) > 0.01
    else:
        assert found == pytest.approx(row.pgr, abs=0.0001)


def test_every_setting_that_a_manifest_may_name_is_published() -> None:
    assert {row.setting for row in ROWS} == set(get_args(PublishedSetting))


def test_no_row_is_there_twice() -> None:
    named = [(r.setting, r.role, r.thresholds, r.test_set) for r in ROWS]
    assert len(named) == len(set(named)) == 131


def test_the_numbers_are_those_of_the_shared_tables() -> None:
    table: Path = SHARED / "papers" / "tables" / "overfitting_tables_5_to_8.csv"
    if not table.is_file():
        missing("no ../shared/papers beside the repository (published tables)")
    roles = {"naive": "conventional", "stage1": "round", "stage2": "round"}
    with table.open(newline="") as stream:
        theirs = {
            (
                row["setting"],
                roles.get(row["row"], row["row"]),
                tuple(int(t) for t in (row["stage1_threshold_pct"], row["stage2_threshold_pct"]) if t),
            ): (float(row["accuracy_pct"]), float(row["pgr_pct"]))
            for row in csv.DictReader(stream)
        }
    ours = {
        (r.setting, r.role, r.thresholds): (pytest.approx(100 * r.accuracy), pytest.approx(100 * r.pgr))
        for r in ROWS
        if r.table in ("table 5", "table 6", "table 7", "table 8") and r.pgr is not None
    }
    assert len(theirs) == 103
    assert ours == theirs


def test_published_rows_stand_beside_the_own_setting_of_the_same_thresholds() -> None:
    settings = compare_points(
        {a_point("weak"): right(40), a_point("ceiling"): right(80), a_point("round", 70, 80): right(70)}
    ).settings({})
    found = lay_beside("llama3_gsm8k", ROWS, settings, None)
    assert found is not None
    pairs = {pair.name: pair for pair in found.pairs}
    pair = pairs["round2/t70-80"]
    assert (pair.published_accuracy, pair.published_pgr, pair.table) == (0.8119, 1.1493, "table 5")
    assert (pair.accuracy.value, pair.pgr.value) == (0.7, 0.75)
    assert pairs["round2/t60-60"].accuracy is None, "published, but not run here"
    assert {pair.test_set for pair in found.pairs} == {"test"}


def test_a_run_that_names_no_setting_has_nothing_beside_it() -> None:
    assert lay_beside(None, ROWS, (), None) is None


def test_percents_are_read_as_fractions_and_an_empty_pgr_as_unknown() -> None:
    line = {
        "setting": "llama3_gsm8k",
        "role": "unfiltered",
        "thresholds": "50",
        "test_set": "test",
        "accuracy_pct": "78.31",
        "pgr_pct": "",
        "table": "table 1",
    }
    assert parse_published([line]) == [
        PublishedRow("llama3_gsm8k", "unfiltered", (50,), "test", 0.7831, None, "table 1")
    ]
