from __future__ import annotations

import pytest

from w2s_jobs.contracts.estimates import Bounds
from w2s_jobs.core.analysis.cost import StepCost, sum_costs
from w2s_jobs.core.analysis.words import interval_words, percent, points, thresholds_label


@pytest.mark.parametrize(
    ("value", "text"), [(0.612, "61.2%"), (-0.0001, "0.0%"), (-0.05, "\N{MINUS SIGN}5.0%"), (1.0, "100.0%")]
)
def test_a_share_is_written_in_percent(value: float, text: str) -> None:
    assert percent(value) == text


def test_a_difference_carries_its_sign() -> None:
    assert points(0.069) == "+6.9"
    assert points(-0.0001) == "+0.0"
    assert interval_words(Bounds(low=-0.01, high=0.02)) == "\N{MINUS SIGN}1.0 to +2.0"


def test_thresholds_are_numbered_by_round() -> None:
    assert thresholds_label((70, 60)).replace("\N{NO-BREAK SPACE}", " ") == "t₁ = 70%, t₂ = 60%"


def test_sharing_saves_what_the_other_uses_would_have_cost() -> None:
    steps = [
        StepCost("sample", uses=5, seconds=10, gpu_seconds=20, attempts=2),
        StepCost("train", uses=1, seconds=7, gpu_seconds=7, attempts=1),
    ]
    cost = sum_costs(steps, unknown=1)
    assert [kind.kind for kind in cost.kinds] == ["sample", "train"]
    assert (cost.total.seconds, cost.total.unshared_seconds, cost.saved_seconds) == (17, 57, 40)
    assert (cost.saved_gpu_seconds, cost.total.attempts, cost.unknown_steps) == (80, 3, 1)
