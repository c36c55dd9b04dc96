"""Completions that no grader should be shown: graded in time, never a crash, never a wrong 'equal'."""

from __future__ import annotations

import time

import pytest

from w2s_jobs.contracts.settings import TaskSettings
from w2s_jobs.core.equality import equal_expressions
from w2s_jobs.steps.grade import grade_question
from w2s_jobs.tasks.gsm8k import Gsm8k
from w2s_jobs.tasks.math import Math

GOLDS = ("0", "1", "7", "-7", "12", r"\frac{1}{2}", r"\pi", r"\infty", "x", "(1,2)", r"\{1,2\}", "x=7", "even")
PROGRAM = "import os\n\n\ndef answer():\n    x = [1, 2]\n    return sum(x) ** 2\n\n\nprint(answer())\n"

ANSWERS = {
    "empty": "",
    "a blank": " ",
    "100,000 nines": "9" * 100_000,
    "100,000 letters": "x" * 100_000,
    "100,000 blanks": " " * 100_000,
    "100,000 dollars": "$" * 100_000,
    "100,000 minus signs": "-" * 100_000 + "7",
    "a sum of 50,000 terms": "1+" * 50_000 + "1",
    "50,000 open braces": "{" * 50_000,
    "50,000 closed braces": "}" * 50_000,
    "5,000 open fractions": r"\frac{" * 5_000,
    "3,000 nested fractions": r"\frac{1}{" * 3_000 + "2" + "}" * 3_000,
    "40 nested roots": r"\sqrt{" * 40 + "2" + "}" * 40,
    "200 nested sets": r"\{" * 200 + "1,2" + r"\}" * 200,
    "200 nested brackets": "(" * 140 + "1,2" + ")" * 140,
    "a list of 200": ",".join("x+1" for _ in range(200)),
    "sets of sets": r"\{" + ",".join(r"\{x,y,z+1\}" for _ in range(24)) + r"\}",
    "a large exponent": "1e999999",
    "a tower of powers": "9^{9^{9^{9}}}",
    "a bare tower": "9^9^9^9",
    "powers of powers": "((9^{999})^{999})^{999}",
    "a product in an exponent": r"2^{999\cdot 999\cdot 999}",
    "powers of e": r"\exp(\exp(\exp(99)))",
    "a huge factorial": "100000!",
    "a factorial of factorials": "99!!!!",
    "a factorial of a power": "(99^{99})!",
    "a huge binomial": r"\binom{99999999}{5000000}",
    "a tangent of much": r"\tan(10^{99999})",
    "division by zero": "1/0",
    "division by zero in LaTeX": r"\frac{1}{0}",
    "division by what is zero": r"\frac{\pi}{\pi-\pi}",
    "zero to a negative power": "0^{-1}",
    "the logarithm of zero": r"\log 0",
    "not a number": "nan",
    "infinity": "inf",
    "Arabic digits": "\u0667",
    "full-width digits": "\uff17",
    "a superscript digit": "⁷",
    "a Roman numeral": "Ⅶ",
    "null bytes": "\x007\x00",
    "a lone surrogate": "\ud7ff\udc00",
    "right to left": "\u202e7\u202c",
    "a zero-width joiner": "7\u200d1",
    "combining marks": "7" + "\u0301" * 1000,
    "an emoji": "7️⃣",
    "a program": PROGRAM,
    "LaTeX that loads a file": r"\input{/etc/passwd}",
    "Python in disguise": "__import__('os').getpid()",
    "a format string": "{0.__class__}",
    "an operator at the end": "7+",
    "unbalanced brackets": "(7]",
    "another base": "7_8",
    "a time of day": "7:00",
}


@pytest.fixture(scope="module", autouse=True)
def _libraries_are_loaded() -> None:
    equal_expressions("x+1", "1+x")


@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_answer_is_graded_in_time_and_equals_no_gold(name: str) -> None:
    hostile = ANSWERS[name]
    for wrapped in (hostile, rf"So \boxed{{{hostile}}}", f"The answer is: {hostile}", f'{{"answer": "{hostile}"}}'):
        for family in (Gsm8k(), Math()):
            started = time.process_time()
            found = family.extract(wrapped)
            equal = [gold for gold in GOLDS if found is not None and family.equal(found, gold)]
            assert time.process_time() - started < 10, "the limit of one comparison is 3 seconds"
            # A family may find a plain number in such a text; what equals gold must then be that number.
            assert equal in ([], [found]), f"{family.name} reads {found!r:.40}"
            assert found is None or family.equal(found, found)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_expression_is_compared_in_time_and_equals_only_itself(name: str) -> None:
    hostile = ANSWERS[name]
    started = time.process_time()
    assert not any(equal_expressions(hostile, gold) or equal_expressions(gold, hostile) for gold in GOLDS)
    assert equal_expressions(hostile, hostile)
    others = [other for other in ANSWERS if equal_expressions(hostile, ANSWERS[other])]
    assert others == [name] or {name, *others} <= {"empty", "a blank"}
    assert time.process_time() - started < 30


def test_hostile_samples_do_not_outvote_an_answer() -> None:
    samples = [(number, rf"\boxed{{{text}}}") for number, text in enumerate(ANSWERS.values())]
    samples += [(1000 + number, r"So \boxed{41}") for number in range(4)]
    _, row = grade_question(TaskSettings(family="math"), ("row", samples))
    assert (row["answer"], row["total"]) == ("41", len(samples))
