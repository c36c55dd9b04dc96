"""docs/status.md is what the reasons say, and every reason says what to do."""

import os
from pathlib import Path

import pytest

from controller.api.reasons import ConditionType, EventReason, Reason, WaitReason
from controller.api.status_reference import render_status_page

PAGE = Path(__file__).parents[2] / "docs" / "status.md"
EVERY = [member for kind in (ConditionType, Reason, WaitReason, EventReason) for member in kind]


def test_the_page_on_the_status_is_what_the_reasons_say() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(render_status_page())
    assert PAGE.read_text() == render_status_page()


@pytest.mark.parametrize("member", EVERY, ids=[f"{type(one).__name__}.{one.name}" for one in EVERY])
def test_every_reason_has_its_row_with_a_meaning(member) -> None:
    assert f"| `{member.value}` | {member.meaning} |" in PAGE.read_text()
    assert member.meaning


@pytest.mark.parametrize("reason", [one for one in WaitReason if one is not WaitReason.DEPENDENCIES])
def test_every_wait_that_is_not_about_other_steps_says_what_to_do(reason) -> None:
    assert reason.fix
