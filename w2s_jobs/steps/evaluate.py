"""evaluate: grade greedy completions of the test questions against gold."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from typing import Any

import numpy as np
from pydantic import JsonValue

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.step_params import EvaluateParams
from w2s_jobs.core.metrics import accuracy_interval
from w2s_jobs.store.rows import read_by_id, read_rows, stream_rows, write_rows
from w2s_jobs.tasks.family import GivesPartialCredit, TaskFamily
from w2s_jobs.tasks.registry import get_family

__all__ = ["run"]


def run(context: StepContext, params: EvaluateParams) -> Outcome:
    """Write `scored.parquet` (a row a question) and `accuracy.json` (with interval, by level, by topic).

    Samples of rows that gold and questions do not name (other capabilities' tests) are passed over.
    """
    gold = {row["row_id"]: row["answer"] for row in read_rows(context.input("gold"), "examples")}
    questions = read_by_id(context.input("questions"), "questions")
    samples = _read_samples(context, gold.keys())
    if not gold.keys() == questions.keys() == samples.keys():
        odd = min((gold.keys() | questions.keys()) - (gold.keys() & questions.keys() & samples.keys()))
        raise InputError(
            f"step {context.ref}: samples ({len(samples)}), questions ({len(questions)}) and gold ({len(gold)}) "
            f"are not about the same rows, such as {odd}; expected one greedy sample for each test question"
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


def _read_samples(context: StepContext, wanted: Collection[str]) -> dict[str, str]:
    """Read the texts of the wanted rows: the samples may be of other capabilities too."""
    texts: dict[str, str] = {}
    for row in stream_rows(context.input("samples"), "samples"):
        if row["row_id"] not in wanted:
            continue
        if row["row_id"] in texts:
            raise InputError(
                f"step {context.ref}: samples hold row {row['row_id']} twice; expected one greedy sample for each test "
                "question"
            )
        texts[row["row_id"]] = row["text"]
    return texts


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
