"""train: examples or pairs (and a model) -> a model in Hugging Face layout, and its loss curve."""

from __future__ import annotations

import importlib.metadata
import json
import logging
from collections import Counter
from pathlib import Path
from typing import Any

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.step_params import TrainParams
from w2s_jobs.core.prompts import Prompt, render
from w2s_jobs.engines.launch import choose_accelerator, run_training
from w2s_jobs.engines.models import model_folder
from w2s_jobs.engines.token_examples import TokenExamples
from w2s_jobs.engines.tokenization import longest_sequence, tokenize_examples, tokenize_pairs
from w2s_jobs.engines.training_job import Fit, StepLoss, TrainingJob
from w2s_jobs.store.rows import read_rows

__all__ = ["run"]

log = logging.getLogger(__name__)

CURVE_POINTS = 100
"""points of the loss curve in the metrics; loss.json holds every step"""


def run(context: StepContext, params: TrainParams) -> Outcome:
    """Fine-tune a model on the union of the inputs in role `examples`, or make a reward model of it from `pairs`."""
    choose_accelerator(context)
    rows = read_examples(context, params)
    if not rows:
        return _untrained(context, params)
    prompts = [render(params.template, row["question"]) for row in rows]
    completions = [row["completion"] for row in rows]
    model = _first_weights(context, params, prompts, completions)
    longest = longest_sequence(model, params.training.max_seq_len)
    if params.reward is None:
        examples = tokenize_examples(model, prompts, completions, longest)
    else:
        examples = tokenize_pairs(model, prompts, completions, longest, [row["positive"] for row in rows])
    _tell(examples, longest)
    job = TrainingJob(
        model=str(model),
        output=str(context.work_dir / "trained"),
        training=params.training.model_copy(update={"max_seq_len": longest}),
        seed=params.seed,
        reward=params.reward,
    )
    fit = run_training(job, examples, context)
    if fit is None:
        return Outcome(complete=False)
    return _outcome(context, Path(job.output), examples, fit)


def read_examples(context: StepContext, params: TrainParams) -> list[dict[str, Any]]:
    """Read the union of all inputs in the order of row ids; a repeated row's, in the order of the inputs.

    So the rows do not depend on how they are spread over inputs.

    Raises
    ------
    InputError
        A row is there twice: in one input, or (unless `repeats` are meant) in two.
    """
    role = "examples" if params.reward is None else "pairs"
    inputs = context.inputs(role)
    if not inputs:
        raise InputError(f"step {context.ref}: needs at least one input '{role}'; given: {sorted(context.spec.inputs)}")
    rows = [(place, row) for place, path in enumerate(inputs) for row in read_rows(path, role)]
    seen = Counter((place if params.repeats else 0, row["row_id"]) for place, row in rows)
    twice = [row_id for (_, row_id), count in seen.items() if count > 1]
    if twice:
        names = ", ".join(f"{item.ref}/{item.file}" for item in context.spec.inputs[role])
        raise InputError(
            f"step {context.ref}: {len(twice)} rows are in the {role} more than once, such as {min(twice)}, in "
            f"{names}; each row may be learnt from once{' of each input' if params.repeats else ''}: name disjoint "
            f"inputs{'' if params.repeats else ', or set repeats where several labels of a row are meant'}"
        )
    return [row for _, row in sorted(rows, key=lambda item: (str(item[1]["row_id"]), item[0]))]


def _tell(examples: TokenExamples, longest: int) -> None:
    """Log what is trained on, and what about it a person should know."""
    log.info("training on %d examples, %d tokens", len(examples), int(examples.lengths.sum()))
    if examples.dropped:
        log.warning("%d examples dropped: completion longer than %d tokens", examples.dropped, longest)
    if examples.positive is not None and len(set(examples.positive.tolist())) == 1:
        log.warning(
            "all %d pairs are %s: a reward model that knows one side says the same of everything",
            *(len(examples), "positive" if examples.positive[0] else "negative"),
        )


def _untrained(context: StepContext, params: TrainParams) -> Outcome:
    """Publish the model as it is: a filter that keeps nothing is a point of the sweep, and must not end all others.

    A reward model without pairs has a head of zeros: every reward is 0.5, and nothing is more.

    Raises
    ------
    InputError
        The model would be built from scratch: it has no weights yet, and no text to learn a tokenizer from.
    """
    if params.model is not None and params.model.scratch is not None:
        raise InputError(f"step {context.ref}: no examples to train on, and a model from scratch is nothing without")
    model = model_folder(context, params.model)
    if params.reward is None:
        log.warning("no examples to train on: the filter kept nothing, and the model stays as it is")
    else:
        from w2s_jobs.engines.reward_model import write_indifferent_model  # loads torch

        log.warning("no pairs to train on: the reward model is one that finds every label as good as any other (0.5)")
        write_indifferent_model(model, context.work_dir / "indifferent")
        model = context.work_dir / "indifferent"
    losses = context.work_dir / "loss.json"
    losses.write_text("[]")
    return Outcome(
        files={
            **{f"model/{path.name}": path for path in sorted(model.iterdir()) if path.is_file()},
            "loss.json": losses,
        },
        metrics={
            **dict.fromkeys(("examples", "dropped", "tokens", "trainedTokens", "optimizerSteps"), 0),
            **({} if params.reward is None else {"positives": 0, "negatives": 0}),
        },
    )


def _first_weights(context: StepContext, params: TrainParams, prompts: list[Prompt], completions: list[str]) -> Path:
    """Return the folder of the model to start from; one from scratch is built here, with its tokenizer."""
    if params.model is None or params.model.scratch is None:
        return model_folder(context, params.model)
    from w2s_jobs.engines.scratch import build_scratch_model  # loads torch

    texts = [
        text for prompt, completion in zip(prompts, completions, strict=True) for text in (prompt.text, completion)
    ]
    return build_scratch_model(params.model.scratch, texts, context.work_dir / "scratch")


def _outcome(context: StepContext, output: Path, examples: TokenExamples, fit: Fit) -> Outcome:
    losses = context.work_dir / "loss.json"
    losses.write_text(json.dumps([point.model_dump(by_alias=True) for point in fit.losses]))
    libraries = ["torch", "transformers", "accelerate"]
    if context.execution.parallelism.zero_stage is not None:
        libraries.append("deepspeed")
    return Outcome(
        files={
            **{f"model/{path.name}": path for path in sorted((output / "model").iterdir())},
            "loss.json": losses,
        },
        metrics={
            "examples": len(examples),
            "dropped": examples.dropped,
            "tokens": int(examples.lengths.sum()),
            "trainedTokens": int(examples.trained.sum()),
            "optimizerSteps": len(fit.losses),
            "firstLoss": fit.losses[0].loss,
            "lastLoss": fit.losses[-1].loss,
            **_signs(examples),
            "lossCurve": [[point.step, round(point.loss, 5)] for point in thin_out(fit.losses, CURVE_POINTS)],
        },
        timings={
            "trainSeconds": round(fit.seconds, 3),
            "tokensPerSecond": round(fit.tokens / fit.seconds, 1) if fit.seconds > 0 else 0.0,
        },
        versions={name: importlib.metadata.version(name) for name in libraries},
    )


def _signs(examples: TokenExamples) -> dict[str, int]:
    if examples.positive is None:
        return {}
    positives = int(examples.positive.sum())
    return {"positives": positives, "negatives": len(examples) - positives}


def thin_out(losses: tuple[StepLoss, ...], points: int) -> list[StepLoss]:
    """Return at most `points` of a curve, evenly spread, with the first and the last."""
    if len(losses) <= points:
        return list(losses)
    return [losses[round(index * (len(losses) - 1) / (points - 1))] for index in range(points)]
