"""Grading speed: plain numbers on one core, and mixed MATH answers on two.

    python -m benchmarks.grading

Both go through `grade_question`, the function behind the step: extraction, grouping by equality, vote. The answers of
the second part are those of real MATH problems (../shared/data/math) or, without them, made up; each question has ten
samples, right and wrong, written in different ways. Prints measured speed over the target of each.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import time
from functools import partial
from pathlib import Path

from w2s_jobs.contracts.settings import TaskSettings
from w2s_jobs.steps.grade import Question, grade_question

NUMBERS = 1_000_000
NUMBERS_PER_MINUTE = 1_000_000
MATH_ANSWERS = 100_000
MATH_SECONDS = 180
SAMPLES = 10
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "math"


def number_questions(chance: random.Random) -> list[Question]:
    """Completions as GSM8K's: a line of reasoning, and the number after `####`."""
    return [
        (
            f"row-{row}",
            [
                (sample, f"He has {row} and gets {sample}, so it is {row} + 3.\n#### {row + chance.randint(0, 3):,}")
                for sample in range(SAMPLES)
            ],
        )
        for row in range(NUMBERS // SAMPLES)
    ]


def math_answers() -> list[str]:
    """Real final answers where they are at hand."""
    if SHARED.is_dir():
        lines = (SHARED / "math_train_answers.head2500.jsonl").read_text().splitlines()
        return [json.loads(line)["final_answer"] for line in lines]
    return [rf"\frac{{{n}\sqrt{{{n + 1}}}}}{{{n + 2}}}" for n in range(2, 2500)]


def written_differently(answer: str, chance: random.Random) -> str:
    """Write an answer as some model would."""
    forms = [
        answer,
        answer,
        rf"\left({answer}\right)" if "," not in answer else answer,
        answer.replace(r"\frac", r"\dfrac"),
        f" {answer} ",
        f"{answer}+1",
        str(chance.randint(0, 50)),
    ]
    return chance.choice(forms)


def math_questions(chance: random.Random) -> list[Question]:
    """Ten boxed answers a question, over as many questions as the target asks for."""
    answers = math_answers()
    return [
        (
            f"row-{row}",
            [
                (sample, rf"So it is $\boxed{{{written_differently(answers[row % len(answers)], chance)}}}$.")
                for sample in range(SAMPLES)
            ],
        )
        for row in range(MATH_ANSWERS // SAMPLES)
    ]


def main() -> None:
    """Measure both."""
    chance = random.Random(0)
    questions = number_questions(chance)
    started = time.process_time()
    for question in questions:
        grade_question(TaskSettings(family="gsm8k"), question)
    rate = NUMBERS / (time.process_time() - started) * 60
    print(f"plain numbers: {rate:,.0f} a minute a core; ratio to the target {rate / NUMBERS_PER_MINUTE:.2f}")

    mixed = math_questions(chance)
    started = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for _ in pool.imap(partial(grade_question, TaskSettings(family="math")), mixed, chunksize=64):
            pass
    seconds = time.monotonic() - started
    print(
        f"mixed MATH answers: {MATH_ANSWERS:,} in {seconds:.0f} s on 2 cores; "
        f"target over measured {MATH_SECONDS / seconds:.2f}"
    )


if __name__ == "__main__":
    main()
