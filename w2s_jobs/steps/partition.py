"""partition: divide the labels of two models by whether they agree, and write what a reward model learns from."""

from __future__ import annotations

from typing import Any

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.step_params import PartitionParams
from w2s_jobs.core.partition import Label, are_consistent, training_pair
from w2s_jobs.store.rows import check_same_rows, read_by_id, write_rows
from w2s_jobs.tasks.registry import get_family

__all__ = ["run"]


def run(context: StepContext, params: PartitionParams) -> Outcome:
    """Write `pairs.parquet` (positives and negatives) and `partition.parquet` (a row a question)."""
    questions = read_by_id(context.input("questions"), "questions")
    weak = read_by_id(context.input("weak"), "votes")
    strong = read_by_id(context.input("strong"), "votes")
    check_same_rows(context.ref, {"weak votes": weak, "strong votes": strong, "questions": questions})
    equal = get_family(params.task).equal
    pairs: list[dict[str, Any]] = []
    partition: list[dict[str, Any]] = []
    for done, row_id in enumerate(sorted(questions), 1):
        ours, theirs = _label(weak[row_id]), _label(strong[row_id])
        consistent = are_consistent(ours, theirs, equal)
        partition.append(
            {
                "row_id": row_id,
                "weak_answer": ours.answer,
                "strong_answer": theirs.answer,
                "consistent": consistent,
            }
        )
        pair = training_pair(ours, theirs, consistent=consistent)
        if pair is not None:
            completion, positive = pair
            question = questions[row_id]["question"]
            pairs.append({"row_id": row_id, "question": question, "completion": completion, "positive": positive})
        context.progress(done, len(questions), "rows")
        context.stop_here("nothing is lost but this step's own work")
    files = {
        "pairs.parquet": write_rows(context.work_dir / "pairs.parquet", "pairs", pairs),
        "partition.parquet": write_rows(context.work_dir / "partition.parquet", "partition", partition),
    }
    return Outcome(files=files, metrics=_metrics(partition, pairs))


def _label(vote: dict[str, Any]) -> Label:
    return Label(answer=vote["answer"], text=vote["text"])


def _metrics(partition: list[dict[str, Any]], pairs: list[dict[str, Any]]) -> dict[str, int]:
    """Count the parts (labels with a valid answer in each), and the pairs."""
    apart = [row for row in partition if not row["consistent"]]
    positives = sum(pair["positive"] for pair in pairs)
    return {
        "rows": len(partition),
        "consistent": len(partition) - len(apart),
        "weakInconsistent": sum(row["weak_answer"] is not None for row in apart),
        "strongInconsistent": sum(row["strong_answer"] is not None for row in apart),
        "bothInvalid": sum(row["weak_answer"] is None and row["strong_answer"] is None for row in apart),
        "positives": positives,
        "negatives": len(pairs) - positives,
        "blank": len(partition) - len(pairs),
    }
