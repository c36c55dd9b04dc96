"""Rows of questions, votes, gold and scores, as small as a test can say them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.support.steps import Bench
from w2s_jobs.contracts.artifact import Input, StepResult

GSM8K = {"task": {"family": "gsm8k"}}

Rows = list[dict[str, Any]]


def a_vote(row: str, answer: str | None, text: str | None = None, count: int = 1, total: int = 1) -> dict[str, Any]:
    """A row of votes.parquet; its text ends in the answer as GSM8K has it, or says that there is none."""
    return {
        "row_id": row,
        "answer": answer,
        "count": count if answer is not None else 0,
        "valid": count if answer is not None else 0,
        "total": total,
        "sample": 0 if answer is not None else -1,
        "text": text if text is not None else f"so #### {answer}" if answer is not None else "I do not know",
        "chain_of_thought": True,
    }


def votes_of(answers: Mapping[str, str | None]) -> Rows:
    """A vote of each row."""
    return [a_vote(row, answer) for row, answer in answers.items()]


def questions_of(rows: Iterable[str]) -> Rows:
    """A question of each row."""
    return [{"row_id": row, "question": f"{row}?", "level": None, "topic": None} for row in rows]


def gold_of(answers: Mapping[str, str]) -> Rows:
    """Gold of each row."""
    return [
        {"row_id": row, "question": f"{row}?", "completion": f"#### {answer}", "answer": answer}
        for row, answer in answers.items()
    ]


def scores_of(rewards: Mapping[str, float | None]) -> Rows:
    """A reward of each row."""
    return [{"row_id": row, "reward": reward} for row, reward in rewards.items()]


class Labels:
    """A bench, and the artifacts that the steps on labels read."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def questions(self, rows: Iterable[str]) -> Input:
        return self.bench.artifact("prepare", "questions.parquet", "questions", questions_of(rows))

    def votes(self, rows: Rows) -> Input:
        return self.bench.artifact("grade", "votes.parquet", "votes", rows)

    def gold(self, answers: Mapping[str, str]) -> Input:
        return self.bench.artifact("prepare", "examples.parquet", "examples", gold_of(answers))

    def scores(self, rows: Rows) -> Input:
        return self.bench.artifact("score", "scores/", "scores", rows)

    def size(self, count: int) -> Input:
        """What another selection kept: that many rows."""
        kept = gold_of({f"other-{number}": "1" for number in range(count)})
        return self.bench.artifact("select", "kept.parquet", "examples", kept)

    def select(self, votes: Rows, params: Mapping[str, Any], **inputs: Input) -> StepResult:
        rows = [vote["row_id"] for vote in votes]
        roles = {"votes": [self.votes(votes)], "questions": [self.questions(rows)]}
        return self.bench.run("select", {**GSM8K, **params}, roles | {role: [one] for role, one in inputs.items()})

    def kept(self, result: StepResult) -> set[str]:
        rows = [row["row_id"] for row in self.bench.rows(result, "kept.parquet", "examples")]
        assert rows == sorted(set(rows))
        assert result.metrics["kept"] == len(rows)
        return set(rows)

    def discarded(self, result: StepResult) -> set[str]:
        rows = [row["row_id"] for row in self.bench.rows(result, "discarded.parquet", "questions")]
        assert rows == sorted(set(rows))
        assert result.metrics["discarded"] == len(rows)
        return set(rows)
