from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from controller.cli.results_table import render_results, render_tables
from tests.support.report_files import Reports, csv_rows, results_of, run_spec
from tests.support.report_rows import write_report_store
from tests.support.report_store import Design
from w2s_jobs.contracts.errors import InputError


@pytest.mark.parametrize(
    "place", ["figure 3", "figure 4", "figures 5", "figures 6", "table 1", "table 2", "table 3", "table 4"]
)
def test_every_analysis_of_the_paper_is_a_figure_and_a_table_that_names_its_place(reports: Reports, place: str) -> None:
    text = reports("everything")["report.html"].read_text()
    _, after = text.split(f"As in {place}", 1)
    before = text[: -len(after)]
    assert before.rindex("<svg") > before.rindex("<section"), "a figure above the caption"
    assert "<table" in after.split("</section>")[0], "a table below it"


def test_an_analysis_without_data_is_left_out_with_its_reason(reports: Reports) -> None:
    full, small = results_of(reports("everything")), results_of(reports("two rounds"))
    assert full.omitted == ()
    reasons = {omitted.analysis.split(" (")[-1].rstrip(")"): omitted.reason for omitted in small.omitted}
    assert reasons["figures 5, 7b"] == "questions of the family gsm8k carry no levels"
    assert reasons["table 1"] == "no ablation `unfiltered`"
    text = reports("two rounds")["report.html"].read_text()
    assert "Difficulty of what is kept (figures 5, 7b): questions of the family gsm8k carry no levels." in text
    assert "Left out" not in reports("everything")["report.html"].read_text()


def test_chosen_thresholds_have_rows_of_their_own(reports: Reports) -> None:
    files = reports("everything")
    rows = [row for row in csv_rows(files) if row["role"] == "choice"]
    choices = results_of(files).choices
    assert len(rows) == len(choices) == 2 * (1 + 2) * (2 + 1), "two rules, three branches, two seeds and their mean"
    assert {row["rule"] for row in rows} == {"agreement", "calibrated"}
    assert all(float(row["regret_low"]) <= float(row["regret"]) <= float(row["regret_high"]) for row in rows)
    assert [float(row["regret"]) for row in rows] == [choice.regret.value for choice in choices if choice.regret]
    assert [float(row["kept"]) for row in rows] == [choice.kept for choice in choices]
    assert {row["training_examples"] for row in rows} == {""}, "a choice of round 2 is about round 2 alone"


def test_points_on_both_test_sets_have_rows_of_their_own(reports: Reports) -> None:
    files = reports("everything")
    rows = csv_rows(files)
    together = [row for row in rows if row["test_set"] == "together"]
    assert {row["questions"] for row in together} == {"450"}
    assert [row["id"] for row in together] == [point.id for point in results_of(files).points]


def test_the_terminal_shows_what_rules_chose(reports: Reports) -> None:
    tables = render_tables(json.loads(reports("everything")["results.json"].read_text()))
    assert len(tables) == 2
    assert tables[1].row_count == 2 * (1 + 2), "a row a rule and branch, over its seeds"
    assert len(render_tables(json.loads(reports("two rounds")["results.json"].read_text()))) == 1


def test_the_terminal_shows_published_numbers_where_the_manifest_names_a_setting(reports: Reports) -> None:
    table = render_tables(json.loads(reports("everything")["results.json"].read_text()))[0]
    names, paper = list(table.columns[0].cells), list(table.columns[-1].cells)
    assert paper[names.index("weak model (2 seeds)")] == "74.8, 0"
    assert paper[names.index("round 1, t = 70 (2 seeds)")] == "80.3, 99"
    assert len(render_results(json.loads(reports("two rounds")["results.json"].read_text())).columns) == 6


def test_a_rule_whose_threshold_was_not_swept_has_a_training_and_a_regret_of_its_own(reports: Reports) -> None:
    results = results_of(reports("rules alone"))
    choice = next(c for c in results.choices if not c.after and c.seed == 0)
    own = next(p for p in results.points if p.thresholds == ("calibrated",) and p.seed == 0)
    assert choice.accuracy is not None
    assert choice.accuracy.value == own.accuracy.value
    assert choice.best_threshold in (50, 80)
    assert not choice.swept


def test_without_any_sweep_the_choice_is_shown_without_a_regret(reports: Reports) -> None:
    results = results_of(reports("nothing but rules"))
    assert {choice.regret for choice in results.choices} == {None}
    assert all(choice.reason for choice in results.choices)
    assert "Accuracy and PGR against the threshold (figure 4)" in {o.analysis for o in results.omitted}


def test_extra_test_questions_that_differ_between_models_are_refused(tmp_path: Path) -> None:
    design = Design(rounds=((70,),), test=50, unlabelled=60, resamples=200, extra_test=40)
    spec = write_report_store(tmp_path, design)
    other = write_report_store(tmp_path / "other", replace(design, extra_test=30))
    stray = next(p["evaluateExtra"] for p in other.params["points"] if p["role"] == "ceiling")
    shutil.rmtree(tmp_path / "store/evaluate" / stray)
    (tmp_path / "other/store/evaluate" / stray).rename(tmp_path / "store/evaluate" / stray)
    with pytest.raises(InputError, match=r"rows\).*are not about the same test questions"):
        run_spec(tmp_path, spec)
