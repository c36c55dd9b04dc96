"""Which experiments have succeeded, and with which report."""

from __future__ import annotations

from typing import Any

import pytest

from controller.operator.settled import key_of_success

KEY = "3fa1" * 16


def experiment(**changes: Any) -> dict[str, Any]:
    succeeded = {"type": "Succeeded", "status": "True", "observedGeneration": 2}
    status = {
        "observedGeneration": 2,
        "conditions": [{"type": "Failed", "status": "False"}, succeeded],
        "results": {"report": f"s3://experiments/w2s/report/{KEY}/"},
    }
    return {"metadata": {"generation": 2}, "status": status | changes}


def test_the_key_is_that_of_the_report() -> None:
    assert key_of_success(experiment()) == KEY


@pytest.mark.parametrize(
    "changes",
    [
        {"observedGeneration": 1},
        {"conditions": []},
        {"conditions": [{"type": "Succeeded", "status": "False", "observedGeneration": 2}]},
        {"conditions": [{"type": "Succeeded", "status": "True", "observedGeneration": 1}]},
        {"results": {}},
    ],
    ids=["an edit", "no condition", "not succeeded", "succeeded before an edit", "no report"],
)
def test_without_a_success_of_the_present_spec_there_is_none(changes: dict[str, Any]) -> None:
    assert key_of_success(experiment(**changes)) is None


def test_a_deleted_status_tells_nothing() -> None:
    assert key_of_success({"metadata": {"generation": 2}}) is None
