"""train: examples (and a model) -> a fine-tuned model in Hugging Face layout, and its loss curve."""

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
from w2s_jobs.engines.checkpoints import fetch_newest_checkpoint
from w2s_jobs.engines.launch import choose_accelerator, run_training
from w2s_jobs.engines.models import model_folder
from w2s_jobs.engines.token_examples import TokenExamples
from w2s_jobs.engines.tokenization import tokenize_examples
from w2s_jobs.engines.training_job import Fit, StepLoss, TrainingJob, checkpoint_layout
from w2s_jobs.store.rows import read_rows

__all__ = ["run"]

log = logging.getLogger(__name__)

CURVE_POINTS = 100
"""points of the loss curve in the metrics; loss.json holds every step"""


def run(context: StepContext, params: TrainParams) -> Outcome:
    """Fine-tune a model on the union of the inputs in role `examples`."""
    choose_accelerator(context)
    rows = read_examples(context)
    if not rows:
        return _untrained(context, params)
    prompts = [render(params.template, row["question"]) for row in rows]
    completions = [row["completion"] for row in rows]
    model = _first_weights(context, params, prompts, completions)
    examples = tokenize_examples(model, prompts, completions, _room(model, params))
    if examples.dropped:
        log.warning("%d examples dropped: completion longer than %d tokens", examples.dropped, _room(model, params))
    log.info("training on %d examples, %d tokens", len(examples), int(examples.lengths.sum()))
    layout = checkpoint_layout(context.execution.parallelism)
    checkpoint = fetch_newest_checkpoint(context, layout, context.work_dir / "checkpoint")
    job = TrainingJob(
        model=str(model),
        output=str(context.work_dir / "trained"),
        checkpoint=str(checkpoint) if checkpoint else None,
        training=params.training.model_copy(update={"max_seq_len": _room(model, params)}),
        seed=params.seed,
    )
    fit = run_training(job, examples, context)
    return _outcome(context, Path(job.output), examples, fit)


def read_examples(context: StepContext) -> list[dict[str, Any]]:
    """Read the union of all example files in the order of row ids, so that it does not depend on theirs.

    Raises
    ------
    InputError
        A row is there twice.
    """
    names = ", ".join(f"{item.ref}/{item.file}" for item in context.spec.inputs.get("examples", ())) or "none given"
    rows = sorted(read_rows(context.inputs("examples"), "examples"), key=lambda row: str(row["row_id"]))
    twice = [row_id for row_id, count in Counter(row["row_id"] for row in rows).items() if count > 1]
    if twice:
        raise InputError(
            f"step {context.ref}: {len(twice)} rows are in the examples more than once, such as {twice[0]}, in "
            f"{names}; each row may be learnt from once: name disjoint inputs"
        )
    return rows


def _untrained(context: StepContext, params: TrainParams) -> Outcome:
    """Publish the model as it is: a filter that keeps nothing is a point of the sweep, and must not end all others.

    Raises
    ------
    InputError
        The model would be built from scratch: it has no weights yet, and no text to learn a tokenizer from.
    """
    if params.model is not None and params.model.scratch is not None:
        raise InputError(f"step {context.ref}: no examples to train on, and a model from scratch is nothing without")
    log.warning("no examples to train on: the filter kept nothing, and the model stays as it is")
    losses = context.work_dir / "loss.json"
    losses.write_text("[]")
    weights = sorted(path for path in model_folder(context, params.model).iterdir() if path.is_file())
    return Outcome(
        files={**{f"model/{path.name}": path for path in weights}, "loss.json": losses},
        metrics={"examples": 0, "dropped": 0, "tokens": 0, "trainedTokens": 0, "optimizerSteps": 0},
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


def _room(model: Path, params: TrainParams) -> int:
    """Return the longest sequence in tokens: maxSeqLen, or fewer where the model has fewer positions."""
    positions = json.loads((model / "config.json").read_text()).get("max_position_embeddings")
    return min(params.training.max_seq_len, positions or params.training.max_seq_len)


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
            "lossCurve": [[point.step, round(point.loss, 5)] for point in thin_out(fit.losses, CURVE_POINTS)],
        },
        timings={
            "trainSeconds": round(fit.seconds, 3),
            "tokensPerSecond": round(fit.tokens / fit.seconds, 1) if fit.seconds > 0 else 0.0,
        },
        versions={name: importlib.metadata.version(name) for name in libraries},
    )


def thin_out(losses: tuple[StepLoss, ...], points: int) -> list[StepLoss]:
    """Return at most `points` of a curve, evenly spread, with the first and the last."""
    if len(losses) <= points:
        return list(losses)
    return [losses[round(index * (len(losses) - 1) / (points - 1))] for index in range(points)]
