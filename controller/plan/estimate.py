"""GPU-hours of a plan before it runs. An estimate from stated assumptions, never a measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from controller.api.placement import Pool
from controller.api.v1alpha1 import ExperimentSpec
from controller.plan.gpus import GPUS, Gpu
from controller.plan.graph import Plan, Step
from controller.plan.workload import CHOSEN_THRESHOLD, REWARD_KEEPS, Workload
from w2s_jobs.contracts.families import FAMILIES
from w2s_jobs.contracts.settings import Parallelism
from w2s_jobs.contracts.step_params import TrainParams

__all__ = ["Estimate", "StepEstimate", "estimate"]

TRAINING_UTILISATION = 0.35
"""Share of the peak that full fine-tuning of dense decoders reaches; 0.3 to 0.5 is what trainers publish."""
PADDING = 1.3
"""Tokens computed for each real one without packing, at lengths that vary as worked answers do."""
PREFILL_UTILISATION = 0.4
"""Share of the peak while prompts are read: large matrix products, as in training, but uneven batches."""
BANDWIDTH_UTILISATION = 0.6
"""Share of the memory bandwidth while decoding reads the weights and the key-value cache beside them."""
CONCURRENT_SEQUENCES = 256
"""Sequences that vLLM decodes together (its default limit)."""
DECODE_OVERHEAD_SECONDS = 0.006
"""Scheduling and launches of one decoding step; what bounds small models."""
START_SECONDS = 60.0
"""Loading weights, compiling, capturing graphs and publishing, each time a process starts."""
TRAINING_BYTES = (4, 4, 8)
"""Bytes a parameter in training: weights and gradients in float32, two moments of Adam."""


@dataclass(frozen=True)
class StepEstimate:
    """What one run of a step costs."""

    gpu_hours: float | None
    """None when the size of its model is unknown"""
    price: float | None = None
    """None when its pool states no price"""


@dataclass(frozen=True)
class Estimate:
    """What a plan costs."""

    steps: Mapping[str, StepEstimate]
    """by key"""
    gpu_hours: float
    gpu_hours_without_sharing: float
    price: float | None
    """None when a pool that is used states no price"""
    price_without_sharing: float | None
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]


def estimate(plan: Plan, spec: ExperimentSpec) -> Estimate:
    """Estimate every step of a plan. Steps on CPUs count as 0 GPU-hours."""
    pools = {pool.name: pool for pool in spec.pools}
    work = Workload(plan, spec)
    steps = {step.key: _step(step, work, pools) for step in plan.steps}
    alone = sum((steps[step.key].gpu_hours or 0.0) * step.uses for step in plan.steps)
    priced = all(one.price is not None for one in steps.values())
    return Estimate(
        steps=steps,
        gpu_hours=sum(one.gpu_hours or 0.0 for one in steps.values()),
        gpu_hours_without_sharing=alone,
        price=sum(one.price or 0.0 for one in steps.values()) if priced else None,
        price_without_sharing=sum((steps[s.key].price or 0.0) * s.uses for s in plan.steps) if priced else None,
        assumptions=_assumptions(spec),
        warnings=(*_unknown_sizes(plan, steps), *_memory(plan, work, pools)),
    )


def _step(step: Step, work: Workload, pools: Mapping[str, Pool]) -> StepEstimate:
    pool = pools.get(step.resources.pool or "")
    if pool is None or step.kind not in ("sample", "score", "train"):
        return StepEstimate(gpu_hours=0.0, price=0.0)
    parameters = work.parameters(step)
    if parameters is None:
        return StepEstimate(gpu_hours=None)
    seconds = _gpu_seconds(step, parameters, work, GPUS[pool.gpu])
    hours = (seconds + START_SECONDS * step.resources.gpus * step.shards) / 3600
    price = None if pool.price_per_gpu_hour is None else hours * pool.price_per_gpu_hour
    return StepEstimate(gpu_hours=hours, price=price)


def _gpu_seconds(step: Step, parameters: float, work: Workload, gpu: Gpu) -> float:
    """Compute the seconds that one GPU would need; more of them share the work at the same sum."""
    read, written = work.tokens(step)
    if isinstance(step.params, TrainParams):
        # Forward 2, backward 4 operations a parameter and token; checkpointing runs the forward pass again.
        operations = 8 if step.params.training.gradient_checkpointing else 6
        padding = 1.0 if step.params.training.packing else PADDING
        return operations * parameters * written * padding / (gpu.peak_flops * TRAINING_UTILISATION)
    prefill = 2 * parameters * read / (gpu.peak_flops * PREFILL_UTILISATION)
    weights = 2 * parameters / (gpu.bandwidth * BANDWIDTH_UTILISATION)
    products = 2 * parameters * CONCURRENT_SEQUENCES / (gpu.peak_flops * PREFILL_UTILISATION)
    one_step = max(weights, products) + DECODE_OVERHEAD_SECONDS
    return prefill + written / CONCURRENT_SEQUENCES * one_step


def _assumptions(spec: ExperimentSpec) -> tuple[str, ...]:
    families = dict.fromkeys(one.task.family for one in spec.tasks)
    return (
        *(
            f"{family}: {FAMILIES[family].prompt_tokens} tokens a prompt, {FAMILIES[family].completion_tokens} a "
            "completion (fewer where maxTokens or maxSeqLen is less)"
            for family in families
        ),
        f"a threshold of t % keeps 1 - t/200 of the rows; one that a rule chooses counts as {CHOSEN_THRESHOLD} %; "
        f"a reward model keeps {REWARD_KEEPS:.0%}",
        f"training: 6 operations a parameter and token (8 with checkpointing) "
        f"at {TRAINING_UTILISATION:.0%} of the peak, {PADDING:g} times the tokens without packing",
        f"sampling: {CONCURRENT_SEQUENCES} sequences at once, {BANDWIDTH_UTILISATION:.0%} of the bandwidth, "
        f"{DECODE_OVERHEAD_SECONDS * 1000:g} ms a decoding step beside it",
        f"{START_SECONDS:g} s a start of a process on each of its GPUs; steps on CPUs count as 0",
    )


def _unknown_sizes(plan: Plan, steps: Mapping[str, StepEstimate]) -> tuple[str, ...]:
    unknown = sum(steps[step.key].gpu_hours is None for step in plan.steps)
    if not unknown:
        return ()
    return (f"{unknown} steps are not counted: nothing tells the size of their model. Set `parameters` of the models",)


def _memory(plan: Plan, work: Workload, pools: Mapping[str, Pool]) -> tuple[str, ...]:
    """Say where weights, gradients and optimizer alone need more memory than the GPU has."""
    found: dict[str, None] = {}
    for step in plan.steps:
        pool, parameters = pools.get(step.resources.pool or ""), work.parameters(step)
        if step.kind != "train" or pool is None or parameters is None:
            continue
        needed = parameters * _bytes_per_parameter(step.parallelism)
        if needed > GPUS[pool.gpu].memory:
            found[
                f"training {parameters / 1e9:g}B parameters needs {needed / 1e9:.0f} GB a GPU before activations; "
                f"{pool.gpu} has {GPUS[pool.gpu].memory / 1e9:.0f}. Raise placement.training.parallelism "
                "(zeroStage, ranks, offload), or take a smaller model"
            ] = None
    return tuple(found)


def _bytes_per_parameter(how: Parallelism) -> float:
    """Return what ZeRO leaves on each rank (Rajbhandari et al. 2020, section 5)."""
    weights, gradients, moments = TRAINING_BYTES
    stage, ranks = how.zero_stage or 0, how.ranks
    kept = 0.0 if how.offload else moments / (ranks if stage >= 1 else 1)
    return kept + gradients / (ranks if stage >= 2 else 1) + weights / (ranks if stage >= 3 else 1)
