"""score: a reward model judges labels, chunk by chunk. A killed run goes on after its last chunk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.step_params import ScoreParams
from w2s_jobs.core.prompts import render
from w2s_jobs.engines.chunks import ChunkRows, Chunks, Computed
from w2s_jobs.engines.models import model_folder
from w2s_jobs.store.rows import read_columns, read_rows

__all__ = ["run"]


@dataclass(frozen=True)
class _Label:
    row_id: str
    question: str
    text: str
    """text of the label; blank where there is none"""


def run(context: StepContext, params: ScoreParams) -> Outcome:
    """Commit every chunk of this shard; the shard that finds all chunks of all shards present returns them."""
    labels = read_labels(context)
    content = ChunkRows(schema="scores", identity=("row_id",), expected=lambda row: [(labels[row].row_id,)])
    chunks = Chunks(context, len(labels), content)
    pending = chunks.pending()
    if pending:
        _score(context, params, labels, chunks, pending)
    return chunks.outcome(_metrics)


def read_labels(context: StepContext) -> list[_Label]:
    """Read the votes of all inputs, one input after the other, each with the question of its own input.

    Raises
    ------
    InputError
        A vote is there twice or its question is not there, or an input of votes has no input of questions.
    """
    votes, questions = context.inputs("votes"), context.inputs("questions")
    if not votes or len(votes) != len(questions):
        raise InputError(
            f"step {context.ref}: needs at least one input 'votes', and 'questions' for each; got {len(votes)} of "
            f"votes, {len(questions)} of questions"
        )
    labels: dict[str, _Label] = {}
    for voted, asked in zip(votes, questions, strict=True):
        texts = read_columns(voted, "votes", ["row_id", "text"])
        question_of = {row["row_id"]: row["question"] for row in read_rows(asked, "questions")}
        for row_id, text in zip(texts["row_id"], texts["text"], strict=True):
            if row_id in labels or row_id not in question_of:
                problem = "is there twice" if row_id in labels else "has no question in the input beside it"
                raise InputError(f"step {context.ref}: the vote of row {row_id} {problem}; name inputs that belong")
            labels[row_id] = _Label(row_id, question_of[row_id], (text or "").strip())
    return list(labels.values())


def _score(context: StepContext, params: ScoreParams, labels: list[_Label], chunks: Chunks, pending: list[int]) -> None:
    from w2s_jobs.engines.reward_scorer import RewardScorer  # heavy: only where there is work for it

    started = time.monotonic()
    total = sum(len(chunks.ranges[chunk]) for chunk in pending)
    context.progress(0, total, "rows")
    chunks.stop_if_told()
    execution = context.execution
    scorer = RewardScorer(model_folder(context, None), params.max_seq_len, execution.threads, execution.gpus)
    ready = time.monotonic()
    done = 0
    for chunk in pending:
        judged = [labels[row] for row in chunks.ranges[chunk]]
        written = [label for label in judged if label.text]
        prompts = [render(params.template, label.question) for label in written]
        rewards = iter(scorer.rewards(prompts, [label.text for label in written], chunks.stop_if_told))
        # A blank label is worth nothing.
        rows = [{"row_id": label.row_id, "reward": next(rewards) if label.text else 0.0} for label in judged]
        done += len(judged)
        timings = _timings(ready - started, time.monotonic() - ready, done)
        chunks.commit(chunk, rows, Computed(timings=timings, versions=scorer.versions()))
        context.progress(done, total, "rows")


def _timings(start: float, seconds: float, rows: int) -> dict[str, float]:
    return {
        "engineStartSeconds": round(start, 3),
        "scoreSeconds": round(seconds, 3),
        "rowsPerSecond": round(rows / seconds, 1) if seconds > 0 else 0.0,
    }


def _metrics(scores: Iterator[dict[str, Any]]) -> dict[str, Any]:
    rewards = [row["reward"] for row in scores]
    positive = sum(reward > 0.5 for reward in rewards)
    return {"rows": len(rewards), "positiveShare": round(positive / len(rewards), 6) if rewards else None}
