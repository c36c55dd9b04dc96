"""sample: draw completions for questions, chunk by chunk. A killed run goes on after its last chunk."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.step_params import SampleParams
from w2s_jobs.core.prompts import Prompt, next_shot, render_after_shots
from w2s_jobs.core.seeds import derive_seed
from w2s_jobs.engines.chunks import ChunkRows, Chunks, Computed
from w2s_jobs.engines.sampler import TOO_LONG, Request
from w2s_jobs.store.rows import read_rows

__all__ = ["run"]


@dataclass(frozen=True)
class _Question:
    row_id: str
    question: str
    shots: tuple[tuple[str, str], ...]
    """shots before the question: solved examples as (question, completion)"""
    place: int
    """place of the input that holds it"""


def run(context: StepContext, params: SampleParams) -> Outcome:
    """Commit every chunk of this shard; the shard that finds all chunks of all shards present returns them."""
    questions = read_questions(context, params.shots)
    numbers = range(params.sampling.samples)
    content = ChunkRows(
        schema="samples",
        identity=("row_id", "sample"),
        expected=lambda row: ((questions[row].row_id, number) for number in numbers),
    )
    chunks = Chunks(context, len(questions), content)
    pending = chunks.pending()
    if pending:
        _sample(context, params, questions, chunks, pending)
    return chunks.outcome(lambda samples: _metrics(context, params, questions, samples))


def read_questions(context: StepContext, shots: int) -> list[_Question]:
    """Read the rows of all inputs, one input after the other, each with the shots of its own input.

    Raises
    ------
    InputError
        A row is there twice, or an input of questions has no input of shots, or one with too few rows.
    """
    inputs = context.inputs("questions")
    examples = context.inputs("shots") if shots else []
    if not inputs or (shots and len(examples) != len(inputs)):
        raise InputError(
            f"step {context.ref}: needs at least one input 'questions'"
            + (", and 'shots' for each" if shots else "")
            + f"; got {len(inputs)} of questions, {len(examples)} of shots"
        )
    questions: list[_Question] = []
    for place, path in enumerate(inputs):
        solved = _first_shots(context, read_rows(examples[place], "examples"), shots) if shots else ()
        rows = read_rows(path, "questions")
        questions += [_Question(row["row_id"], row["question"], solved, place) for row in rows]
    row_id, count = next(iter(Counter(question.row_id for question in questions).most_common(1)), ("", 0))
    if count > 1:
        raise InputError(f"step {context.ref}: row {row_id} is in the questions {count} times; name disjoint inputs")
    return questions


def _first_shots(context: StepContext, rows: list[dict[str, Any]], shots: int) -> tuple[tuple[str, str], ...]:
    if len(rows) < shots:
        raise InputError(
            f"step {context.ref}: {shots} shots are wanted, an input 'shots' has {len(rows)} solved examples; "
            "use fewer shots or a larger labelled split"
        )
    first = sorted(rows, key=lambda row: str(row["row_id"]))[:shots]
    return tuple((row["question"], row["completion"]) for row in first)


def _sample(
    context: StepContext, params: SampleParams, questions: list[_Question], chunks: Chunks, pending: list[int]
) -> None:
    started = time.monotonic()
    total = sum(len(chunks.ranges[chunk]) for chunk in pending)
    context.progress(0, total, "rows")
    from w2s_jobs.engines.open_sampler import open_sampler  # heavy: only where there is work for it

    chunks.stop_if_told()
    sampler, encode = open_sampler(context, _until_next_shot(params))
    ready = time.monotonic()
    tokens = samples = 0
    collected: dict[int, list[dict[str, Any]]] = {chunk: [] for chunk in pending}
    asked = ((chunk, questions[row]) for chunk in pending for row in chunks.ranges[chunk])
    for completion in sampler.complete(_requests(params, asked, encode), chunks.stop_if_told):
        request = completion.request
        tokens, samples = tokens + completion.tokens, samples + 1
        collected[request.chunk].append(
            {
                "row_id": request.row_id,
                "sample": request.sample,
                "text": completion.text.strip(),
                "finish_reason": completion.finish_reason,
                "tokens": completion.tokens,
            }
        )
        if len(collected[request.chunk]) == len(chunks.ranges[request.chunk]) * params.sampling.samples:
            timings = _timings(ready - started, time.monotonic() - ready, tokens)
            computed = Computed(timings=timings, versions=sampler.versions())
            chunks.commit(request.chunk, collected.pop(request.chunk), computed)
        context.progress(samples // params.sampling.samples, total, "rows")


def _timings(start: float, seconds: float, tokens: int) -> dict[str, float]:
    return {
        "engineStartSeconds": round(start, 3),
        "sampleSeconds": round(seconds, 3),
        "tokensPerSecond": round(tokens / seconds, 1) if seconds > 0 else 0.0,
    }


def _until_next_shot(params: SampleParams) -> SampleParams:
    """Let a completion end where the model, once it has answered, goes on with an example of its own."""
    border = next_shot(params.template) if params.shots else None
    if border is None:
        return params
    stop = (*params.sampling.stop, border)
    return params.model_copy(update={"sampling": params.sampling.model_copy(update={"stop": stop})})


def _requests(params: SampleParams, asked: Iterator[tuple[int, _Question]], encode: Any) -> Iterator[Request]:
    for chunk, question in asked:
        prompt: Prompt = render_after_shots(params.template, question.question, question.shots)
        tokens = encode(prompt)
        for sample in range(params.sampling.samples):
            seed = derive_seed(params.seed, question.row_id, sample)
            yield Request(chunk, question.row_id, sample, tokens, seed)


def _metrics(
    context: StepContext, params: SampleParams, questions: list[_Question], samples: Iterator[dict[str, Any]]
) -> dict[str, Any]:
    reasons: Counter[str] = Counter()
    too_long: set[str] = set()
    tokens = 0
    for row in samples:
        reasons[row["finish_reason"]] += 1
        tokens += row["tokens"]
        if row["finish_reason"] == TOO_LONG:
            too_long.add(row["row_id"])
    if params.shots:
        _refuse_shots_without_room(context, params.shots, questions, too_long)
    return {
        "rows": len(questions),
        "samples": reasons.total(),
        "generatedTokens": tokens,
        "finishReasons": dict(sorted(reasons.items())),
    }


def _refuse_shots_without_room(
    context: StepContext, shots: int, questions: list[_Question], too_long: set[str]
) -> None:
    """Refuse shots that fill the model's positions: answers to nothing would look like a model that knows nothing.

    One long question among others is sampled as ever: its completion is empty, and counted in finishReasons.
    """
    for place in {question.place for question in questions}:
        asked = [question.row_id for question in questions if question.place == place]
        if too_long.issuperset(asked):
            raise InputError(
                f"step {context.ref}: with {shots} shots before it, none of the {len(asked)} questions such as "
                f"{asked[0]} leaves the model room to answer; use fewer shots, or a model with more positions"
            )
