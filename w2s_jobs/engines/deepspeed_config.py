"""The DeepSpeed configuration of a training: one builder for GPU and CPU."""

from __future__ import annotations

from typing import Any

from w2s_jobs.contracts.settings import Parallelism, TrainingSettings

__all__ = ["build_deepspeed_config"]

GRADIENT_CLIPPING = 1.0
"""largest norm of a step's gradient (the default of transformers.Trainer and of LLaMA-Factory, the paper's trainer)"""


def build_deepspeed_config(parallelism: Parallelism, training: TrainingSettings, bf16: bool) -> dict[str, Any]:
    """Build the configuration of ZeRO stage `parallelism.zero_stage` (0: data parallelism only).

    Micro-batches are cut and counted by `batches.py`: DeepSpeed sees one batch a step and is told by the trainer at
    which backward pass the step ends.
    """
    if parallelism.zero_stage is None:
        raise ValueError("zeroStage is null: this training runs without DeepSpeed")
    zero: dict[str, Any] = {"stage": parallelism.zero_stage}
    if parallelism.zero_stage == 3:
        zero["stage3_gather_16bit_weights_on_model_save"] = True
    if parallelism.offload:
        zero["offload_optimizer"] = {"device": "cpu", "pin_memory": True}
        if parallelism.zero_stage == 3:
            zero["offload_param"] = {"device": "cpu", "pin_memory": True}
    config: dict[str, Any] = {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": 1,
        "gradient_clipping": GRADIENT_CLIPPING,
        "bf16": {"enabled": bf16},
        "zero_optimization": zero,
        "steps_per_print": 1_000_000_000,  # progress is ours to show
    }
    if parallelism.offload:
        # Only DeepSpeed's own Adam computes on the host; else PyTorch's AdamW is passed in.
        config["optimizer"] = {
            "type": "AdamW",
            "params": {"lr": training.learning_rate, "weight_decay": training.weight_decay},
        }
    return config
