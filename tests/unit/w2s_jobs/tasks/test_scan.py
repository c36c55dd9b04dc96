from __future__ import annotations

from pathlib import Path

import pytest

from w2s_jobs.tasks.family import BadRecordError
from w2s_jobs.tasks.scan import Scan

PAIRS = {row.question: row.answer for row in Scan().generate()}


def test_the_grammar_makes_all_20910_pairs_once() -> None:
    assert len(PAIRS) == 20_910


def test_the_grammar_agrees_with_every_published_line(real_data: Path) -> None:
    lines = [line for file in sorted((real_data / "scan").glob("*.txt")) for line in file.read_text().splitlines()]
    rows = [Scan().parse({"text": line}) for line in lines]
    assert len(rows) > 7000
    assert all(PAIRS[row.question] == row.answer for row in rows)


@pytest.mark.parametrize(
    ("command", "actions"),
    [
        ("jump", "I_JUMP"),
        ("turn opposite left", "I_TURN_LEFT I_TURN_LEFT"),
        ("walk around right", "I_TURN_RIGHT I_WALK " * 4),
        ("look after run twice", "I_RUN I_RUN I_LOOK"),
    ],
)
def test_a_command_becomes_its_actions(command: str, actions: str) -> None:
    assert PAIRS[command] == actions.strip()


def test_anything_but_actions_is_no_answer() -> None:
    family = Scan()
    assert family.extract(" I_JUMP\nI_WALK ") == "I_JUMP I_WALK"
    assert family.extract("I_JUMP I_FLY") is None
    assert family.extract("") is None


@pytest.mark.parametrize("record", [{"text": "IN: jump"}, {"text": "IN: OUT: I_JUMP"}, {"text": "IN: jump OUT: hop"}])
def test_a_bad_record_says_what_is_wrong(record: dict[str, str]) -> None:
    with pytest.raises(BadRecordError, match=r"expected|empty|not a sequence"):
        Scan().parse(record)
