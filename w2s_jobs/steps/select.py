"""select: keep the questions whose vote passes the threshold; the rest is discarded and can be relabelled."""

from __future__ import annotations

from typing import Any

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.choices import ChosenThreshold
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.step_params import SelectParams
from w2s_jobs.core.selection import Candidate, passes
from w2s_jobs.store.rows import read_rows, write_rows

__all__ = ["run"]


def run(context: StepContext, params: SelectParams) -> Outcome:
    """Write `kept.parquet` (examples to learn from) and `discarded.parquet` (questions); together they are all."""
    questions = {row["row_id"]: row for row in read_rows(context.input("questions"), "questions")}
    votes = {row["row_id"]: row for row in read_rows(context.input("votes"), "votes")}
    if questions.keys() != votes.keys():
        odd = sorted(questions.keys() ^ votes.keys())
        raise InputError(
            f"step {context.ref}: votes and questions are not about the same rows ({len(odd)} differ, such as "
            f"{odd[0]}); expected one vote for each question"
        )
    threshold = _threshold(context, params)
    kept: list[dict[str, Any]] = []
    discarded: list[dict[str, Any]] = []
    for row_id in sorted(questions):
        question, vote = questions[row_id], votes[row_id]
        if passes(
            Candidate.of_vote(vote),
            threshold=threshold,
            require_valid=params.require_valid,
            require_chain_of_thought=params.require_chain_of_thought,
        ):
            kept.append(_example(question, vote))
        else:
            discarded.append(question)
    files = {
        "kept.parquet": write_rows(context.work_dir / "kept.parquet", "examples", kept),
        "discarded.parquet": write_rows(context.work_dir / "discarded.parquet", "questions", discarded),
    }
    return Outcome(files=files, metrics={"kept": len(kept), "discarded": len(discarded), "threshold": threshold})


def _threshold(context: StepContext, params: SelectParams) -> int | None:
    """Return the threshold of the parameters, or the one that a rule chose."""
    if not context.spec.inputs.get("threshold"):
        return params.threshold
    return ChosenThreshold.model_validate_json(context.input("threshold").read_bytes()).threshold


def _example(question: dict[str, Any], vote: dict[str, Any]) -> dict[str, Any]:
    return {
        "row_id": question["row_id"],
        "question": question["question"],
        "completion": vote["text"],
        "answer": vote["answer"],
        "confidence_count": vote["count"],
        "confidence_total": vote["total"],
    }
