from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_jobs.core.partition import Label, are_consistent, training_pair
from w2s_jobs.tasks.gsm8k import Gsm8k

answers = st.none() | st.sampled_from(["4", "4.0", "5", "-5", "1/2", "0.5"])
labels = st.builds(Label, answers, st.none() | st.sampled_from(["", "  \n", "#### 4", "no idea"]))


def equal(a: str, b: str) -> bool:
    return Gsm8k().equal(a, b)


@pytest.mark.parametrize(
    ("weak", "strong", "expected", "reason"),
    [
        ("4", "4", True, "the same answer"),
        ("4", "4.0", True, "equal as the family has it, not as text"),
        ("4", "5", False, "different answers"),
        (None, "4", False, "the weak model has no valid answer"),
        ("4", None, False, "the strong model has none"),
        (None, None, False, "two that say nothing agree on nothing"),
    ],
)
def test_labels_are_consistent_where_both_give_the_same_valid_answer(
    weak: str | None, strong: str | None, expected: bool, reason: str
) -> None:
    assert are_consistent(Label(weak, "weak"), Label(strong, "strong"), equal) is expected, reason


def test_a_positive_is_the_weak_text_and_a_negative_the_strong_one() -> None:
    weak, strong = Label("4", "two and two #### 4"), Label(None, "I do not know")
    assert training_pair(weak, strong, consistent=True) == ("two and two #### 4", True)
    assert training_pair(weak, strong, consistent=False) == ("I do not know", False)


@given(labels, labels)
def test_agreement_does_not_depend_on_which_model_is_which(weak: Label, strong: Label) -> None:
    assert are_consistent(weak, strong, equal) == are_consistent(strong, weak, equal)


@given(labels, labels, st.booleans())
def test_a_blank_text_is_learnt_from_by_neither_side(weak: Label, strong: Label, consistent: bool) -> None:
    pair = training_pair(weak, strong, consistent=consistent)
    text = weak.text if consistent else strong.text
    assert pair == ((text, consistent) if (text or "").strip() else None)
