"""grade: extract each sample's final answer, group equal ones, and vote. It never samples again, and sees no gold."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from typing import Any

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.errors import InputError, JobError
from w2s_jobs.contracts.settings import TaskSettings
from w2s_jobs.contracts.step_params import GradeParams
from w2s_jobs.core.voting import group_answers, vote
from w2s_jobs.store.rows import read_columns, stream_rows, write_rows
from w2s_jobs.tasks.registry import get_family

__all__ = ["grade_question", "run"]

_BLOCK = 64
"""Questions a worker process takes at once."""
_FEW = 2000
"""Below this many questions a second process costs more than it saves."""

_SAVED = "nothing is lost but this step's own work"

Question = tuple[str, list[tuple[int, str]]]
"""A row id with its (sample number, text) pairs."""


def run(context: StepContext, params: GradeParams) -> Outcome:
    """Write `answers.parquet` (a row a sample) and `votes.parquet` (a row a question), both in order of row ids.

    With the input `questions` only their samples are graded: one sampling may be of several capabilities.
    """
    questions = _collect(stream_rows(context.input("samples"), "samples"), _asked(context))
    answers: list[dict[str, Any]] = []
    votes: list[dict[str, Any]] = []
    with _mapper(context, len(questions)) as mapped:
        for done, (row_answers, row_vote) in enumerate(mapped(partial(grade_question, params.task), questions), 1):
            answers.extend(row_answers)
            votes.append(row_vote)
            context.progress(done, len(questions), "rows")
            context.stop_here(_SAVED)
    metrics = {
        "rows": len(votes),
        "samples": len(answers),
        "validSamples": sum(row["answer"] is not None for row in answers),
        "rowsWithoutAnswer": sum(row["answer"] is None for row in votes),
    }
    files = {
        "answers.parquet": write_rows(context.work_dir / "answers.parquet", "answers", answers),
        "votes.parquet": write_rows(context.work_dir / "votes.parquet", "votes", votes),
    }
    return Outcome(files=files, metrics=metrics)


def grade_question(task: TaskSettings, question: Question) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Grade one question's samples; depends on nothing but them, so neither order nor chunking changes a vote."""
    family = get_family(task)
    row_id, samples = question
    samples = sorted(samples)
    found = [family.extract(text) for _, text in samples]
    groups = group_answers(found, family)
    outcome = vote(found, groups)
    # Without a valid answer the first text stands in: an unfiltered baseline learns from it as it is.
    number, text = samples[max(outcome.sample, 0)]
    answers = [
        {"row_id": row_id, "sample": sample, "answer": answer, "group": group}
        for (sample, _), answer, group in zip(samples, found, groups, strict=True)
    ]
    row = {
        "row_id": row_id,
        "answer": outcome.answer,
        "count": outcome.count,
        "valid": outcome.valid,
        "total": outcome.total,
        "sample": number if outcome.sample >= 0 else -1,
        "text": text,
        "chain_of_thought": family.is_chain_of_thought(text),
    }
    return answers, row


def _asked(context: StepContext) -> set[str] | None:
    """Return the row ids of the input `questions`; None where there is none, and every sample is graded."""
    if not context.spec.inputs.get("questions"):
        return None
    return set(read_columns(context.input("questions"), "questions", ["row_id"])["row_id"])


def _collect(rows: Iterable[dict[str, Any]], asked: set[str] | None) -> list[Question]:
    by_row: dict[str, dict[int, str]] = {}
    for row in rows:
        if asked is not None and row["row_id"] not in asked:
            continue
        samples = by_row.setdefault(row["row_id"], {})
        if row["sample"] in samples:
            raise InputError(f"samples hold sample {row['sample']} of row {row['row_id']} twice; expected it once")
        samples[row["sample"]] = row["text"]
    unsampled = sorted((asked or set()) - by_row.keys())
    if unsampled:
        raise InputError(
            f"samples lack {len(unsampled)} of {len(asked or ())} questions, such as {unsampled[0]}; expected at least "
            "one sample for each: name samples of these questions"
        )
    return [(row_id, list(samples.items())) for row_id, samples in sorted(by_row.items())]


@contextmanager
def _mapper(context: StepContext, questions: int) -> Iterator[Any]:
    """Give a `map` that keeps the order: over processes where there are enough questions and threads.

    Raises
    ------
    JobError
        A process was killed: `multiprocessing.Pool` would wait for its answers for ever.
    Stopped
        It was killed because the step is told to stop: the signal goes to all of its processes.
    """
    threads = context.execution.threads
    if threads < 2 or questions < _FEW:
        yield map
        return
    # Fresh processes: a fork of one that holds threads (Arrow's) can hang. Each has its own main thread, which
    # math-verify's time limit needs.
    with ProcessPoolExecutor(threads, multiprocessing.get_context("spawn")) as pool:
        try:
            yield partial(pool.map, chunksize=_BLOCK)
        except BaseException as error:
            for worker in multiprocessing.active_children():
                worker.terminate()  # what it is at is lost in any case: nobody waits for it
            if not isinstance(error, BrokenProcessPool):
                raise
            context.stop_here(_SAVED)
            raise JobError(
                f"step {context.ref}: a grading process was killed. If nobody did that, memory ran out: "
                "lower placement.grading.threads"
            ) from error
