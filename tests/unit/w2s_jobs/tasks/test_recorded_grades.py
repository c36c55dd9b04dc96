"""Grading against the verdicts that came with 20,000 real model outputs, and votes against recorded ones."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.recorded_grades import SETS, Graded, read_records
from w2s_jobs.contracts.settings import TaskSettings
from w2s_jobs.core.latex import normalise
from w2s_jobs.core.voting import group_answers, vote
from w2s_jobs.tasks.gsm8k import Gsm8k
from w2s_jobs.tasks.math import Math
from w2s_jobs.tasks.registry import get_family

REVIEWED = json.loads((Path(__file__).parents[3] / "golden" / "grading_differences.json").read_text())
"""Every accepted disagreement: set, reason, places. docs/grading.md says how they are classified."""


class Text:
    """Equality of recorded answers that are compared as they stand."""

    def equal(self, a: str, b: str) -> bool:
        return a == b

    def canonical(self, answer: str) -> str | None:
        return answer


def verdict(graded: Graded) -> bool:
    family = get_family(TaskSettings.model_validate({"family": graded.family}))
    answer = family.extract(graded.text)
    return answer is not None and family.equal(answer, normalise(graded.gold))


@pytest.mark.parametrize("name", SETS)
def test_grading_agrees_with_the_sets_own_but_for_what_is_listed(name: str, real_data: Path) -> None:
    rows = list(SETS[name](real_data))
    ours = {row.index: verdict(row) for row in rows}
    differing = {row.index for row in rows if ours[row.index] != row.right}
    print(f"agreement of {name}: {len(rows) - len(differing)} of {len(rows)}")
    listed = REVIEWED["differences"].get(name, {})
    assert differing == {index for places in listed.values() for index in places}
    wrongly_equal = {index for index in differing if ours[index]} & set(listed.get("sentence-end", []))
    assert not wrongly_equal, "what the list calls our error must never be a wrong 'equal'"


def test_over_all_sets_grading_agrees_in_more_than_995_of_1000(real_data: Path) -> None:
    total = sum(1 for read in SETS.values() for _ in read(real_data))
    differences = Counter(
        {
            reason: sum(len(by_reason.get(reason, [])) for by_reason in REVIEWED["differences"].values())
            for reason in REVIEWED["reasons"]
        }
    )
    print(f"agreement: {total - differences.total()} of {total}; differences: {dict(differences)}")
    assert 1 - differences.total() / total >= 0.995


def test_every_difference_names_a_known_set_and_a_known_reason() -> None:
    assert set(REVIEWED["differences"]) <= set(SETS)
    assert {reason for reasons in REVIEWED["differences"].values() for reason in reasons} == set(REVIEWED["reasons"])


def _date_votes(real_data: Path) -> list[dict[str, Any]]:
    return read_records(real_data / "self_consistency/verify_cot_date_n10.head150.jsonl.gz")


def test_votes_over_ten_recorded_answers_give_the_recorded_winners_and_counts(real_data: Path) -> None:
    differing = []
    for row, record in enumerate(_date_votes(real_data)):
        answers = [None if answer == "No answer!" else answer for answer in record["pred_answers"]]
        groups = group_answers(answers, Text())
        outcome = vote(answers, groups)
        counts = Counter(answers[groups.index(group)] for group in groups if group >= 0)
        tied = {answer for answer, count in counts.items() if count == outcome.count}
        right = sum(answer == record["final_answer"] for answer in answers)
        same = (outcome.count, tied, right) == (
            record["majority_count"],
            set(record["majority_results"]),
            record["gt_count"],
        )
        assert outcome.answer == next(answer for answer in answers if answer in tied), "a tie goes to the first"
        if not same:
            differing.append(row)
    # Row 53 records 10 votes for 12/31/1898, although four of its ten answers are 12/31/1899.
    assert differing == [53]


def test_selection_from_recorded_votes_keeps_the_recorded_numbers(real_data: Path) -> None:
    records = _date_votes(real_data)
    for threshold in range(0, 101, 10):
        kept = recorded = 0
        for row, record in enumerate(records):
            answers = [None if answer == "No answer!" else answer for answer in record["pred_answers"]]
            count = vote(answers, group_answers(answers, Text())).count
            kept += row != 53 and count * 100 >= threshold * len(answers)
            recorded += row != 53 and record["majority_count"] * 10 >= threshold
        print(f"threshold {threshold} %: {kept} kept, {recorded} recorded")
        assert kept == recorded


def test_eight_real_samples_fall_into_the_recorded_groups(real_data: Path) -> None:
    records = read_records(real_data / "self_consistency/qwen_math_cot_n8.head50.jsonl.gz")
    for record in records:
        ours = [Math().extract(text) for text in record["code"]]
        recorded = [answer or None for answer in record["pred"]]
        assert group_answers(ours, Math()) == group_answers(recorded, Text()), record["idx"]


@pytest.mark.parametrize(
    ("family", "name", "listed"),
    [
        # Both texts of 789 break off without an answer; the set took no answer for the same answer.
        (Gsm8k(), "gsm8k_sft_llama2_7b", {789}),
        # Answers that are equations: the set kept what is right of their `=`, which is 0 in each.
        (Math(), "math_sft_gemma_2b", {1202, 1557, 3177}),
    ],
)
def test_the_recorded_selection_is_where_two_models_answers_agree(
    family: Gsm8k | Math, name: str, listed: set[int], real_data: Path
) -> None:
    folder = real_data / "weak_to_strong_reasoning"
    weak = {row["id"]: row["output"] for row in read_records(folder / f"{name}_iter1_weak.head300.jsonl")}
    strong = {row["id"]: row["output"] for row in read_records(folder / f"{name}_iter1_icl.head300.jsonl")}
    assert weak.keys() == strong.keys()
    agreed = {row for row in weak if vote_of_two(family, weak[row], strong[row]) == 2}
    print(f"{name}: {len(agreed)} of {len(weak)} selected rows agree")
    assert weak.keys() - agreed == listed


def vote_of_two(family: Gsm8k | Math, weak: str, strong: str) -> int:
    answers = [family.extract(weak), family.extract(strong)]
    return vote(answers, group_answers(answers, family)).count


def test_gold_of_both_training_files_is_read(real_data: Path) -> None:
    folder = real_data / "weak_to_strong_reasoning"
    for name in ("gsm8k_D1_train_1", "gsm8k_D2_train_2"):
        rows = [Gsm8k().parse(record) for record in read_records(folder / f"{name}.head500.jsonl")]
        assert all(Gsm8k().extract(row.completion) == row.answer for row in rows)
