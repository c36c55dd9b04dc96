"""Rows of examples to learn from: of gold and of labels, as whole texts or as bare answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.step_params import Completion
from w2s_jobs.tasks.family import Row, TaskFamily

__all__ = ["gold_example", "label_example"]


def gold_example(row_id: str, row: Row, family: TaskFamily, completion: Completion) -> dict[str, Any]:
    """Return a row of examples.parquet that teaches gold."""
    return {
        "row_id": row_id,
        "question": row.question,
        "completion": row.completion if completion == "text" else family.format_answer(row.answer),
        "answer": row.answer,
    }


def label_example(
    question: Mapping[str, Any], vote: Mapping[str, Any], family: TaskFamily, completion: Completion
) -> dict[str, Any]:
    """Return a row of kept.parquet that teaches the label of a question (rows of questions and votes).

    Raises
    ------
    InputError
        The bare answer is to be learnt of a label that has none.
    """
    if completion == "answer" and vote["answer"] is None:
        raise InputError(
            f"row {vote['row_id']} has no answer, but completion: answer learns only answers; keep labels with a valid "
            "answer only (requireValid), or learn the whole text (completion: text)"
        )
    return {
        "row_id": question["row_id"],
        "question": question["question"],
        "completion": vote["text"] if completion == "text" else family.format_answer(vote["answer"]),
        "answer": vote["answer"],
        "confidence_count": vote["count"],
        "confidence_total": vote["total"],
    }
