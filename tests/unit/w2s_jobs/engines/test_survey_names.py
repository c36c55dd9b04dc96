from __future__ import annotations

import pytest

from w2s_jobs.contracts.survey_results import AgreementCounts
from w2s_jobs.engines.surveying.names import folded, pair_label, way_label
from w2s_jobs.engines.surveying.stack_figure import shares


@pytest.mark.parametrize(
    ("role", "variant", "name"),
    [
        ("selected", "reward", "Ours"),
        ("selected", "random", "Random"),
        ("noise", "40", "Noise 40%"),
        ("weakened", "gsm8k+scan", "Weakened: gsm8k, scan"),
        ("removed", "sciq", "Without sciq"),
        ("no-warm-up", "reward", "Ours without warm-up"),
        ("no-warm-up", "both", "Ours without warm-up, both"),
    ],
)
def test_a_way_of_making_a_model_is_named_as_in_the_paper(role: str, variant: str, name: str) -> None:
    assert way_label(role, variant) == name


def test_a_short_pair_of_models_stays_on_one_line() -> None:
    assert " " not in pair_label("0.5b", "1.8b")
    assert " " in pair_label("Qwen1.5-0.5B", "Qwen1.5-1.8B")


@pytest.mark.parametrize("name", ["a-very-long-name-of-a-capability-that-goes-on", "x" * 60, "two words " * 9])
def test_a_long_name_is_broken_and_cut_so_that_it_fits(name: str) -> None:
    lines = folded(name).split("\n")
    assert len(lines) <= 2
    assert max(map(len, lines)) <= 19
    assert lines[-1].endswith("…")


def test_a_short_name_is_left_alone() -> None:
    assert folded("gsm8k") == "gsm8k"


def test_classes_of_no_questions_at_all_have_no_share() -> None:
    none = AgreementCounts(both_right=0, both_wrong_same=0, second_right=0, first_right=0, both_wrong_different=0)
    assert set(shares(none).values()) == {0.0}
