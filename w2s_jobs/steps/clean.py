"""clean: keep the weak labels that gold calls right, and a share of the others. An analysis: no method may do this."""

from __future__ import annotations

from typing import Any

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.step_params import CleanParams
from w2s_jobs.core.analysis.labels import LabelJudge
from w2s_jobs.core.selection import clean, has_text
from w2s_jobs.store.rows import check_same_rows, read_by_id, read_rows, write_rows
from w2s_jobs.tasks.examples import label_example
from w2s_jobs.tasks.registry import get_family

__all__ = ["run"]


def run(context: StepContext, params: CleanParams) -> Outcome:
    """Write `kept.parquet`: every right label, and `noise` percent of the wrong ones (paper `reward`, section 3.6)."""
    questions = read_by_id(context.input("questions"), "questions")
    votes = read_by_id(context.input("votes"), "votes")
    check_same_rows(context.ref, {"votes": votes, "questions": questions})
    gold = {row["row_id"]: row["answer"] for row in read_rows(context.input("gold"), "examples")}
    unknown = sorted(votes.keys() - gold.keys())
    if unknown:
        raise InputError(
            f"step {context.ref}: gold lacks {len(unknown)} of {len(votes)} voted rows, such as {unknown[0]}; expected "
            "the gold of the questions that the votes are about"
        )
    family = get_family(params.task)
    right = _judge(context, LabelJudge(gold, family.equal), votes)
    chosen = sorted(clean(right, params.noise, params.seed))
    kept = [label_example(questions[row], votes[row], family, params.completion) for row in chosen]
    kept_right = sum(right[row] for row in chosen)
    return Outcome(
        files={"kept.parquet": write_rows(context.work_dir / "kept.parquet", "examples", kept)},
        metrics={
            "kept": len(kept),
            "right": kept_right,
            "wrong": len(kept) - kept_right,
            "noise": params.noise,
            "offered": len(votes),
        },
    )


def _judge(context: StepContext, judge: LabelJudge, votes: dict[str, dict[str, Any]]) -> dict[str, bool]:
    """Tell of each label that has a text whether it is right."""
    right: dict[str, bool] = {}
    for done, (row_id, vote) in enumerate(sorted(votes.items()), 1):
        if has_text(vote["text"]):
            right[row_id] = judge.is_right(row_id, vote["answer"])
        context.progress(done, len(votes), "rows")
        context.stop_here("nothing is lost but this step's own work")
    return right
