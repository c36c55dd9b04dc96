from __future__ import annotations

import pytest

from w2s_jobs.contracts.estimates import Bounds, Difference, PgrResult
from w2s_jobs.contracts.results import Gap
from w2s_jobs.engines.reporting.tables import difference_cell, pgr_cell

NO_GAP = Gap(weak=0.5, ceiling=0.5, value=0, interval=Bounds(low=-0.1, high=0.1), certain=False, reason="no gap")


@pytest.mark.parametrize(
    ("low", "high", "sure"), [(0.01, 0.05, True), (-0.05, -0.01, True), (-0.01, 0.05, False), (0.0, 0.05, False)]
)
def test_a_difference_is_set_in_bold_only_where_its_interval_excludes_zero(low: float, high: float, sure: bool) -> None:
    difference = Difference(to="x", value=0.02, interval=Bounds(low=low, high=high), better=low > 0, worse=high < 0)
    assert difference_cell(difference).sure is sure


def test_a_pgr_over_a_gap_that_may_be_zero_is_not_printed() -> None:
    assert pgr_cell(PgrResult(value=3.7), NO_GAP).text == "no gap†"


def test_an_undefined_pgr_carries_its_reason() -> None:
    cell = pgr_cell(PgrResult(value=None, reason="the experiment has no baseline ceiling"), NO_GAP)
    assert (cell.text, cell.hint) == ("undefined", "the experiment has no baseline ceiling")
