from __future__ import annotations

import io

import pytest
from rich.console import Console

from controller.local.live_view import render_state
from controller.local.view import Counts, RunningStep
from w2s_jobs.contracts.artifact import Progress

COUNTS = Counts(computed=1, reused=2, running=1, waiting=4, failed=0, blocked=0)
STEP = RunningStep(
    name="train round 2 t=[60]-70 seed 0",
    processes=2,
    seconds=61.0,
    progress=Progress(attempt="1", done=300, total=1000, unit="steps", rate=2.5),
)


def drawn(width: int) -> list[str]:
    """The lines of one running step and the counts in a terminal of some width."""
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=True)
    console.print(render_state(COUNTS, [STEP], 100.0))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_a_wide_terminal_shows_name_count_rate_and_what_is_left() -> None:
    row, counts = drawn(140)
    for part in ("train round 2 t=[60]-70 seed 0 x2", "300/1,000 steps", "2.5 steps/s, 4:40 left", "1:01"):
        assert part in row
    assert counts == "1 done · 2 reused · 1 running · 4 waiting · 1:40"


@pytest.mark.parametrize("width", [1, 20, 60, 80])
def test_a_running_step_takes_one_line_however_narrow_the_terminal(width: int) -> None:
    first, *rest = drawn(width)
    assert len(first) <= width
    assert "".join(line.strip() for line in rest).startswith("1")
