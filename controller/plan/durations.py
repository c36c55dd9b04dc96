"""How long GPUs would be busy with a step: an estimate from stated assumptions, never a measurement."""

from __future__ import annotations

from controller.plan.gpus import Gpu
from controller.plan.graph import Step
from controller.plan.placement.sampling_memory import SEQUENCES_AT_ONCE
from controller.plan.workload import Workload
from w2s_jobs.contracts.step_params import TrainParams

__all__ = [
    "BANDWIDTH_UTILISATION",
    "DECODE_OVERHEAD_SECONDS",
    "PADDING",
    "START_SECONDS",
    "TRAINING_UTILISATION",
    "gpu_seconds",
]

TRAINING_UTILISATION = 0.35
"""Share of the peak that full fine-tuning of dense decoders reaches; 0.3 to 0.5 is what trainers publish."""
PADDING = 1.3
"""Tokens computed for each real one without packing, at lengths that vary as worked answers do."""
PREFILL_UTILISATION = 0.4
"""Share of the peak while prompts are read: large matrix products, as in training, but uneven batches."""
BANDWIDTH_UTILISATION = 0.6
"""Share of the memory bandwidth while decoding reads the weights and the key-value cache beside them."""
DECODE_OVERHEAD_SECONDS = 0.006
"""Scheduling and launches of one decoding step; what bounds small models."""
START_SECONDS = 60.0
"""Loading weights, compiling, capturing graphs and publishing, each time a process starts."""


def gpu_seconds(step: Step, parameters: float, work: Workload, gpu: Gpu) -> float:
    """Compute the seconds that one GPU would need; more of them share the work at the same sum."""
    read, written = work.tokens(step)
    if isinstance(step.params, TrainParams):
        # Forward 2, backward 4 operations a parameter and token; checkpointing runs the forward pass again.
        operations = 8 if step.params.training.gradient_checkpointing else 6
        padding = 1.0 if step.params.training.packing else PADDING
        return operations * parameters * written * padding / (gpu.peak_flops * TRAINING_UTILISATION)
    prefill = 2 * parameters * read / (gpu.peak_flops * PREFILL_UTILISATION)
    weights = 2 * parameters / (gpu.bandwidth * BANDWIDTH_UTILISATION)
    products = 2 * parameters * SEQUENCES_AT_ONCE / (gpu.peak_flops * PREFILL_UTILISATION)
    one_step = max(weights, products) + DECODE_OVERHEAD_SECONDS
    return prefill + written / SEQUENCES_AT_ONCE * one_step
