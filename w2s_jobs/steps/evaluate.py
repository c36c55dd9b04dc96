"""evaluate: grade greedy completions of the test questions against gold."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import numpy as np
from pydantic import JsonValue

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.step_params import EvaluateParams
from w2s_jobs.core.metrics import accuracy_interval
from w2s_jobs.store.rows import read_rows, write_rows
from w2s_jobs.tasks.family import GivesPartialCredit, TaskFamily
from w2s_jobs.tasks.registry import get_family

__all__ = ["run"]


def run(context: StepContext, params: EvaluateParams) -> Outcome:
    """Write `scored.parquet` (a row a question) and `accuracy.json` (with interval, by level, by topic)."""
    gold = {row["row_id"]: row["answer"] for row in read_rows(context.input("gold"), "examples")}
    questions = {row["row_id"]: row for row in read_rows(context.input("questions"), "questions")}
    samples = {row["row_id"]: row["text"] for row in read_rows(context.input("samples"), "samples")}
    if not gold.keys() == questions.keys() == samples.keys():
        raise InputError(
            f"step {context.ref}: samples ({len(samples)}), questions ({len(questions)}) and gold ({len(gold)}) "
            "are not about the same rows; expected one greedy sample for each test question"
        )
    family = get_family(params.task)
    scored = [_score(family, questions[row_id], samples[row_id], gold[row_id]) for row_id in sorted(gold)]
    correct = np.array([row["correct"] for row in scored], dtype=np.bool_)
    interval = accuracy_interval(correct, params.resamples, params.confidence_level, params.seed)
    accuracy: dict[str, JsonValue] = {
        "accuracy": float(correct.mean()) if scored else None,
        "interval": [interval.low, interval.high] if interval else None,
        "correct": int(correct.sum()),
        "n": len(scored),
        "invalid": sum(row["answer"] is None for row in scored),
        "byLevel": _by(scored, "level"),
        "byTopic": _by(scored, "topic"),
    }
    credit = _mean_credit(family, scored)
    if credit is not None:
        accuracy["partialCredit"] = credit
    path = context.work_dir / "accuracy.json"
    path.write_text(json.dumps(accuracy, indent=1, sort_keys=True))
    files = {"scored.parquet": write_rows(context.work_dir / "scored.parquet", "scored", scored), "accuracy.json": path}
    return Outcome(files=files, metrics={k: accuracy[k] for k in ("accuracy", "interval", "n", "invalid")})


def _score(family: TaskFamily, question: dict[str, Any], text: str, gold: str) -> dict[str, Any]:
    answer = family.extract(text)
    return {
        "row_id": question["row_id"],
        "answer": answer,
        "gold": gold,
        "correct": answer is not None and family.equal(answer, gold),
        "level": question["level"],
        "topic": question["topic"],
    }


def _mean_credit(family: TaskFamily, scored: list[dict[str, Any]]) -> float | None:
    """Return the mean partial credit (MC-TACO's F1) where the family gives any."""
    if not isinstance(family, GivesPartialCredit):
        return None
    scores = [family.credit(row["answer"], row["gold"]) for row in scored]
    given = [credit for credit in scores if credit is not None]
    return sum(given) / len(given) if given else None


def _by(scored: list[dict[str, Any]], column: str) -> JsonValue:
    groups: dict[str, list[bool]] = defaultdict(list)
    for row in scored:
        if row[column] is not None:
            groups[str(row[column])].append(row["correct"])
    return {name: {"n": len(rows), "accuracy": sum(rows) / len(rows)} for name, rows in sorted(groups.items())}
