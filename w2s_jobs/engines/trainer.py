"""Full-parameter training of one model, whatever its objective: the same function on one rank and on many.

Source: paper `confidence`, appendix B (learning rate, warm-up, schedule, batch); methods.md, "train I".
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig
from transformers.integrations import is_deepspeed_zero3_enabled

from w2s_jobs.context import StepContext
from w2s_jobs.contracts.errors import Stopped
from w2s_jobs.contracts.settings import Parallelism, TrainingSettings
from w2s_jobs.engines.batches import BatchPlan, Cut
from w2s_jobs.engines.completion_loss import CompletionLoss
from w2s_jobs.engines.deepspeed_config import build_deepspeed_config
from w2s_jobs.engines.objective import Objective
from w2s_jobs.engines.packing import PACKED_ATTENTION, supports_packing
from w2s_jobs.engines.planned_trainer import CheckpointKeeper, PlannedSteps, PlannedTrainer, build_arguments
from w2s_jobs.engines.reward_loss import RewardLoss
from w2s_jobs.engines.saved_model import save_model
from w2s_jobs.engines.token_examples import TokenExamples
from w2s_jobs.engines.training_job import Fit, TrainingJob, checkpoint_layout

__all__ = ["fit", "plan_batches"]

log = logging.getLogger(__name__)

MICRO_BATCH_TOKENS = {"cpu": 4096, "cuda": 8192}
"""tokens that one rank trains at once where microBatchSize is null; never less than one sequence of maxSeqLen"""


def fit(job: TrainingJob, examples: TokenExamples, context: StepContext) -> Fit:
    """Train a model on examples and save it to `job.output/model`.

    On a CPU the same job gives the same weights to the last digit, resumed or not, for a given number of threads
    and ranks.

    Raises
    ------
    Stopped
        The step was told to stop; a checkpoint is in the store.
    """
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(context.execution.threads)
    parallelism, device = context.execution.parallelism, "cuda" if _has_gpu(context) else "cpu"
    bf16, objective = uses_bf16(job.training, device), _objective(job, examples)
    packing = job.training.packing and _can_pack(job.model, objective)
    plan = plan_batches(examples, job, parallelism, Cut(packing, MICRO_BATCH_TOKENS[device], ranks=parallelism.ranks))
    arguments = build_arguments(
        Path(job.output), job.training, len(plan), job.seed, _on_device(device, parallelism, job.training)
    )
    # After the arguments: they tell transformers that ZeRO-3 is on, and the model is then loaded in shards.
    model = objective.open(
        job.model,
        dtype=torch.bfloat16 if bf16 and parallelism.zero_stage is not None else torch.float32,
        attn_implementation=PACKED_ATTENTION if packing else "sdpa",
    )
    keeper = CheckpointKeeper(context, checkpoint_layout(parallelism))
    steps = PlannedSteps(examples, plan, objective, rank=int(os.environ.get("RANK", "0")))
    trainer = PlannedTrainer(model, arguments, steps, keeper)
    started = time.monotonic()
    done_before = trainer.resume(Path(job.checkpoint) if job.checkpoint else None)
    seconds = time.monotonic() - started
    if keeper.stopped:
        raise Stopped(
            f"step {context.ref} was told to stop after optimizer step {trainer.state.global_step} of {len(plan)}; "
            "a checkpoint is saved. Run again to go on from there."
        )
    _save(trainer, job, bf16)
    tokens = sum(int(examples.lengths[plan.batch(step)].sum()) for step in range(done_before, len(plan)))
    return Fit(losses=tuple(trainer.losses), seconds=seconds, tokens=tokens)


def plan_batches(examples: TokenExamples, job: TrainingJob, parallelism: Parallelism, cut: Cut) -> BatchPlan:
    """Plan all steps of a job. `cut.tokens` is a wish: one sequence of maxSeqLen always fits."""
    longest, size = job.training.max_seq_len, parallelism.micro_batch_size
    if size is None:
        tokens, at_most = max(longest, cut.tokens), None
    else:
        tokens, at_most = longest * size, size
    return BatchPlan(
        lengths=examples.lengths.tolist(),
        batch_size=min(job.training.global_batch_size, len(examples)),
        epochs=job.training.epochs,
        seed=job.seed,
        cut=Cut(cut.packing, tokens, at_most, cut.ranks),
    )


def uses_bf16(training: TrainingSettings, device: str) -> bool:
    """Tell whether to train in bfloat16: as asked for, or where the GPU has it."""
    if training.dtype == "auto":
        return device == "cuda" and torch.cuda.is_bf16_supported()
    return training.dtype == "bfloat16"


def _has_gpu(context: StepContext) -> bool:
    return context.execution.gpus > 0 and torch.cuda.is_available()


def _on_device(device: str, parallelism: Parallelism, training: TrainingSettings) -> dict[str, Any]:
    """Arguments of the trainer that depend on the machine."""
    bf16 = uses_bf16(training, device)
    chosen: dict[str, Any] = {"bf16": bf16}
    if device == "cpu":
        chosen["use_cpu"] = True
    if parallelism.zero_stage is not None:
        chosen["deepspeed"] = build_deepspeed_config(parallelism, training, bf16)
        chosen["ddp_backend"] = "gloo" if device == "cpu" else "nccl"
    return chosen


def _objective(job: TrainingJob, examples: TokenExamples) -> Objective:
    if job.reward is None or examples.positive is None:
        return CompletionLoss()
    return RewardLoss(job.reward, examples.positive)


def _can_pack(folder: str, objective: Objective) -> bool:
    config = AutoConfig.from_pretrained(folder)
    model_class = objective.model_class._model_mapping.get(type(config), None)
    if supports_packing(model_class, config):
        return True
    log.warning("%s does not have plain causal attention in all layers: training without packing", config.model_type)
    return False


def _save(trainer: PlannedTrainer, job: TrainingJob, bf16: bool) -> None:
    """Write the model; every rank takes part, because ZeRO-3 gathers the weights."""
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped) if is_deepspeed_zero3_enabled() else None
    if not trainer.args.should_save:
        return
    if bf16 and not trainer.is_deepspeed_enabled:  # DeepSpeed's copy of the weights is in bfloat16 already
        trainer.model.to(torch.bfloat16)
    save_model(trainer.model, Path(job.model), Path(job.output) / "model", weights)
