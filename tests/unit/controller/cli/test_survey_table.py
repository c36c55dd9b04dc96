from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from controller.cli.results_table import render_tables
from tests.support.survey_design import MadeSurvey
from tests.support.survey_results_made import make_results

TWO = (("gsm8k", "gsm8k"), ("scan", "scan"))
DESIGNS = {
    "every role": MadeSurvey(),
    "least": MadeSurvey(models=("a", "b"), capabilities=TWO, seeds=(0,), roles=(), rules=("reward",), labels=False),
    "no ceiling": MadeSurvey(capabilities=TWO, ceiling=False),
}


def results_json(design: MadeSurvey) -> dict[str, Any]:
    return make_results(design).model_dump(mode="json", by_alias=True)


def printed(results: dict[str, Any], width: int = 160) -> str:
    stream = io.StringIO()
    console = Console(width=width, file=stream)
    for table in render_tables(results):
        console.print(table)
    return stream.getvalue()


@pytest.mark.parametrize("name", DESIGNS)
def test_a_survey_is_two_tables_with_every_setting(name: str) -> None:
    results = results_json(DESIGNS[name])
    tables = render_tables(results)
    assert [table.row_count for table in tables] == [len(results["settings"])] * 2
    assert [str(column.header) for column in tables[0].columns] == [
        "setting",
        "accuracy %",
        "PGR %",
        "vs WTS",
        "examples",
        "labels right %",
    ]
    assert [str(column.header) for column in tables[1].columns] == ["setting", "average", *results["capabilities"]]


def test_eight_capabilities_fit_into_the_width_of_a_pipe() -> None:
    text = printed(results_json(DESIGNS["every role"]))
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 160
    assert "0.5b → 1.8b: ours (reward model) (3 seeds)" in text


def test_a_star_marks_differences_beyond_their_interval_alone() -> None:
    results = results_json(DESIGNS["every role"])
    differences = [s["average"]["difference"] for s in results["settings"] if s["average"]["difference"]]
    cells = [str(cell) for cell in render_tables(results)[0].columns[3].cells]
    assert sum("*" in cell for cell in cells) == sum(d["better"] or d["worse"] for d in differences) > 0


def test_an_undefined_pgr_is_called_so_with_its_reason() -> None:
    text = printed(results_json(DESIGNS["no ceiling"]))
    assert "undefined" in text
    assert "PGR undefined: the ceiling of this model was not evaluated" in text


def test_names_with_brackets_are_no_markup() -> None:
    design = MadeSurvey(models=("[red]a[/]", "b"), capabilities=(("[bold]x", "scan"),), roles=(), rules=("reward",))
    text = printed(results_json(design))
    assert "[red]a[/] → b: WTS (all weak labels)" in text
    assert "[bold]x" in text


def test_a_capability_that_was_not_evaluated_is_an_empty_cell() -> None:
    results = results_json(DESIGNS["least"])
    del results["settings"][0]["capabilities"]["scan"]
    assert [str(cell) for cell in render_tables(results)[1].columns[-1].cells].count("") == 1
