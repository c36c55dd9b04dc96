"""Extraction and equality against real model outputs whose right and wrong answers are known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from w2s_jobs.tasks.gsm8k import Gsm8k
from w2s_jobs.tasks.math import Math


def test_every_gsm8k_solution_states_its_own_answer(real_data: Path) -> None:
    family = Gsm8k()
    rows = [family.parse(json.loads(line)) for line in (real_data / "gsm8k/train.jsonl").read_text().splitlines()]
    assert len(rows) == 7473
    assert all(family.extract(row.completion) == row.answer for row in rows)
    assert not any("<<" in row.completion for row in rows)


def test_every_math_solution_states_its_own_answer(real_data: Path) -> None:
    family = Math()
    rows = [
        family.parse(json.loads(line)) for line in (real_data / "math/math500.head300.jsonl").read_text().splitlines()
    ]
    right = sum(family.equal(family.extract(row.completion) or "", row.answer) for row in rows)
    print(f"agreement: {right} of {len(rows)}")
    assert right == len(rows) == 300
    assert {row.level for row in rows} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("so it is 3 + 4 = 7.\n#### 7", "7"),
        ("The answer is: $1,250.50.", "2501/2"),
        ("Thus the answer is 20 + 5 = 25 dollars.", "25"),
        (r"Hence \boxed{1{,}200}.", "1200"),
        ("She has 3 apples and 12 pears", "12"),
        ("<<3*4=12>>12 eggs\n#### 12", "12"),
        ("#### -5", "-5"),
        ("#### 2+7=9", "9"),
        ("#### $57.00", "57"),
        (r"so \boxed{68 ft^2}", "68"),
        (r"\boxed{86+42=128}", "128"),
        ('{"reasoning": "3 and 4", "answer": "7 apples"}', "7"),
        ('{"reasoning": "3 and 4", "answer": "it cannot be known"}', None),
        ("So the answer to this question is 4 hours for 30 holes.", "4"),
        ("The answer is 72 months, which is 6 years.", "6"),
        ("Answer: in 2 weeks he earns $168.", "168"),
        ("the answer is:\nStep 1: half of the letters is 3, so far.\nStep 2: in all 13.", "13"),
        ("**Final answer:**\n**12**", "12"),
        ("it is 2 1/2", "5/2"),
        ("from 5-10", "10"),
        ("it is 0.4166666666666667", "4166666666667/10000000000000"),
        ("no number at all", None),
        ("", None),
        ("####", None),
    ],
)
def test_the_final_number_of_a_completion_is_found(text: str, expected: str | None) -> None:
    assert Gsm8k().extract(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3 * 4 = 12\n#### 12", True), ("#### 12", False), ("The answer is 12", False), ("12", False)],
)
def test_reasoning_is_told_from_a_bare_answer(text: str, expected: bool) -> None:
    assert Gsm8k().is_chain_of_thought(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"so \boxed{\frac12}.", r"\frac{1}{2}"),
        (r"so $x=\boxed{5}$. The answer is: 6", "6"),
        (r"so \boxed{5}. The answer is correct", "5"),
        ("The answer is: $\\$70$", "70"),
        ("The answer is $ 0$ because $a^2=0$ has one solution", "0"),
        ("The answer is $1$ and $2$.", "1 and 2"),
        (r"The final answer is \(x^2\). I hope it is correct.", "x^2"),
        ("The answer is 20 square feet.", "20"),
        (r'{"reasoning": "\frac{1}{3}", "answer": "\\frac{1}{2}"}', r"\frac{1}{2}"),
        (r'{"answer": "\boxed{7}"}', "7"),
        (r"The answer is \boxed{ }", None),
        ("**Final answer:**\n - The diagonal of the patio is approximately 19.2 feet.", None),
        ("no answer at all", None),
    ],
)
def test_the_final_expression_of_a_completion_is_found(text: str, expected: str | None) -> None:
    assert Math().extract(text) == expected
