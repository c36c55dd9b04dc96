"""Full-parameter supervised fine-tuning of one model: the same function on one rank and on many.

Source: paper `confidence`, appendix B (learning rate, warm-up, schedule, batch); methods.md, "train I".
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig
from transformers.integrations import is_deepspeed_zero3_enabled

from w2s_jobs.context import StepContext
from w2s_jobs.contracts.errors import Stopped
from w2s_jobs.contracts.settings import Parallelism, TrainingSettings
from w2s_jobs.engines.batches import BatchPlan, Cut
from w2s_jobs.engines.deepspeed_config import build_deepspeed_config
from w2s_jobs.engines.packing import PACKED_ATTENTION, supports_packing
from w2s_jobs.engines.sft_trainer import CheckpointKeeper, PlannedSteps, SftTrainer, build_arguments
from w2s_jobs.engines.token_examples import TokenExamples
from w2s_jobs.engines.training_job import Fit, TrainingJob, checkpoint_layout

__all__ = ["fit", "plan_batches"]

log = logging.getLogger(__name__)

MICRO_BATCH_TOKENS = {"cpu": 4096, "cuda": 8192}
"""tokens that one rank trains at once where microBatchSize is null; never less than one sequence of maxSeqLen"""

_COPIED = (
    *("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt", "*.model"),
    *("chat_template*", "generation_config.json"),
)
"""files that a trained model takes over from the model it started from, byte for byte"""


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
    bf16 = uses_bf16(job.training, device)
    packing = job.training.packing and _can_pack(job.model)
    plan = plan_batches(examples, job, parallelism, Cut(packing, MICRO_BATCH_TOKENS[device], ranks=parallelism.ranks))
    arguments = build_arguments(
        Path(job.output), job.training, len(plan), job.seed, _on_device(device, parallelism, job.training)
    )
    # After the arguments: they tell transformers that ZeRO-3 is on, and the model is then loaded in shards.
    model = AutoModelForCausalLM.from_pretrained(
        job.model,
        dtype=torch.bfloat16 if bf16 and parallelism.zero_stage is not None else torch.float32,
        attn_implementation=PACKED_ATTENTION if packing else "sdpa",
    )
    keeper = CheckpointKeeper(context, checkpoint_layout(parallelism))
    steps = PlannedSteps(examples, plan, rank=int(os.environ.get("RANK", "0")))
    trainer = SftTrainer(model, arguments, steps, keeper)
    started = time.monotonic()
    done_before = trainer.resume(Path(job.checkpoint) if job.checkpoint else None)
    seconds = time.monotonic() - started
    if keeper.stopped:
        raise Stopped(
            f"step {context.ref} was told to stop after optimizer step {trainer.state.global_step} of {len(plan)}; "
            "a checkpoint is saved. Run again to go on from there."
        )
    _save_model(trainer, job, bf16)
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


def _can_pack(folder: str) -> bool:
    config = AutoConfig.from_pretrained(folder)
    model_class = AutoModelForCausalLM._model_mapping[type(config)]
    if supports_packing(model_class, config):
        return True
    log.warning("%s does not have plain causal attention in all layers: training without packing", config.model_type)
    return False


def _save_model(trainer: SftTrainer, job: TrainingJob, bf16: bool) -> None:
    """Write the model in Hugging Face layout; every rank takes part, because ZeRO-3 gathers the weights."""
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped) if is_deepspeed_zero3_enabled() else None
    if not trainer.args.should_save:
        return
    if bf16 and not trainer.is_deepspeed_enabled:  # DeepSpeed's copy of the weights is in bfloat16 already
        trainer.model.to(torch.bfloat16)
    folder = Path(job.output) / "model"
    trainer.model.config.use_cache = True  # the trainer turns it off; whoever samples wants it
    # The source's own file is copied below: saving it anew would refuse some that are published.
    trainer.model.generation_config = GenerationConfig.from_model_config(trainer.model.config)
    trainer.model.save_pretrained(folder, state_dict=weights)
    for pattern in _COPIED:
        for path in sorted(Path(job.model).glob(pattern)):
            shutil.copyfile(path, folder / path.name)
