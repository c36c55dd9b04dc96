from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from controller.cli.results_table import render_results
from tests.support.report_files import DESIGNS, FILES, SMALL, TINY, Reports, bytes_of, csv_rows, results_of, run_spec
from tests.support.report_rows import write_report_store
from tests.support.report_store import Design
from w2s_jobs.contracts.artifact import ArtifactRef
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.store.folder import FolderStore

every_design = pytest.mark.parametrize("name", DESIGNS)


def test_a_report_is_four_files(reports: Reports) -> None:
    files = reports("two rounds")
    assert files.keys() == FILES
    assert all(path.stat().st_size > 0 for path in files.values())


def test_two_runs_over_the_same_rows_give_the_same_bytes(reports: Reports, tmp_path: Path) -> None:
    again = run_spec(tmp_path, write_report_store(tmp_path, SMALL))
    assert bytes_of(reports("two rounds")) == bytes_of(again)


def test_times_do_not_enter_the_results(tmp_path: Path) -> None:
    spec = write_report_store(tmp_path, TINY)
    before = bytes_of(run_spec(tmp_path, spec))
    for result in (tmp_path / "store").glob("*/*/result.json"):
        content = json.loads(result.read_text())
        content["timings"] = {"seconds": 12345.0, "gpuSeconds": 9.0}
        result.write_text(json.dumps(content))
    after = bytes_of(run_spec(tmp_path, spec))
    assert before["results.json"] == after["results.json"]
    assert before["results.csv"] == after["results.csv"]
    assert before["cost.json"] != after["cost.json"]


def test_every_point_has_its_row(reports: Reports) -> None:
    files = reports("two rounds")
    rows = csv_rows(files)
    assert {row["test_set"] for row in rows} == {"test"}
    assert [row["id"] for row in rows] == [point.id for point in results_of(files).points]
    assert {row["role"] for row in rows} == {"weak", "ceiling", "conventional", "round"}


class Page(HTMLParser):
    """Collects what a page would load, its ids, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.references: set[str] = set(re.findall(r'(?:url\(|href=")#([^")]+)', text))
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag in ("script", "link", "img", "iframe", "object") or given.get("src"):
            self.loads.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@every_design
def test_the_page_is_one_sound_file_for_every_shape_of_experiment(reports: Reports, name: str) -> None:
    text = reports(name)["report.html"].read_text()
    page = Page(text)
    assert page.open == []
    assert page.loads == []
    assert len(page.ids) == len(set(page.ids))
    assert page.references <= set(page.ids)
    assert not re.search(r"(src|href)=\"?https?:|@import|url\(http", text)
    assert not re.search(r"\b(nan|inf|None|Undefined)\b", re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL))
    assert "#0" not in re.sub(r"#\d+;|&#\d+", "", "".join(re.findall(r'style="[^"]*"', text))), "a stand-in colour"


@every_design
def test_the_terminal_shows_every_setting(reports: Reports, name: str) -> None:
    files = reports(name)
    console = Console(width=160, record=True, quiet=True)
    table = render_results(json.loads(files["results.json"].read_text()))
    console.print(table)
    assert table.row_count == len(results_of(files).settings)


def test_an_undefined_pgr_is_null_everywhere_and_says_why(reports: Reports) -> None:
    files = reports("no ceiling")
    points: list[dict[str, Any]] = json.loads(files["results.json"].read_text())["points"]
    assert {point["pgr"]["value"] for point in points} == {None}
    assert {point["pgr"]["reason"] for point in points} == {"the experiment has no baseline ceiling"}
    assert "PGR is undefined" in files["report.html"].read_text()
    assert {row["pgr"] for row in csv_rows(files)} == {""}


def test_pgr_over_a_gap_that_may_be_zero_is_not_shown(reports: Reports) -> None:
    files = reports("no gap")
    assert not results_of(files).gap.certain
    text = files["report.html"].read_text()
    assert "no gap†" in text
    assert "PGR after round" not in text
    table = render_results(json.loads(files["results.json"].read_text()))
    assert set(table.columns[2].cells) == {"no gap"}


def test_no_gain_is_called_no_gain(reports: Reports) -> None:
    verdict = results_of(reports("no gap")).verdict
    assert "showed no gain" in verdict.headline
    assert "not distinguishable from zero" in " ".join(verdict.sentences)


def test_without_conventional_training_no_help_is_claimed(reports: Reports) -> None:
    assert "nothing shows whether" in results_of(reports("one point")).verdict.headline


def test_a_clear_gain_is_called_one(reports: Reports) -> None:
    headline = results_of(reports("two rounds")).verdict.headline
    assert headline.startswith("The method helped")


def test_label_correctness_rises_with_the_threshold_in_the_made_up_data(reports: Reports) -> None:
    found = [row.label_correctness for row in results_of(reports("two rounds")).threshold_labels]
    assert found[0] is not None
    assert found[-1] is not None
    assert found[0] < found[-1]


def test_evaluations_of_different_questions_are_refused_by_name(tmp_path: Path) -> None:
    spec = write_report_store(tmp_path, SMALL)
    other = write_report_store(tmp_path / "other", Design(rounds=((90,),), baselines=(), test=60, unlabelled=80))
    stray = other.inputs["scored"][0]
    (tmp_path / "other/store/evaluate" / stray.key).rename(tmp_path / "store/evaluate" / stray.key)
    mixed = {**spec.inputs, "scored": (*spec.inputs["scored"], stray)}
    with pytest.raises(InputError, match=rf"evaluate/{stray.key[:12]} \(60 rows\).*120 rows.*w2s invalidate evaluate"):
        run_spec(tmp_path, spec.model_copy(update={"inputs": mixed}))


def test_a_report_without_scores_is_refused(tmp_path: Path) -> None:
    spec = write_report_store(tmp_path, TINY)
    with pytest.raises(InputError, match=r"no scored test question.*spec\.dataset\.splits\.test"):
        run_spec(tmp_path, spec.model_copy(update={"inputs": {}}))


def test_a_step_that_was_deleted_since_is_counted_as_unknown(tmp_path: Path) -> None:
    spec = write_report_store(tmp_path, TINY)
    sample = next(use for use in spec.params["uses"] if use["kind"] == "sample")
    FolderStore(tmp_path / "store").delete(ArtifactRef(kind="sample", key=sample["key"]))
    cost = json.loads(run_spec(tmp_path, spec)["cost.json"].read_text())
    assert cost["unknownSteps"] == 1
