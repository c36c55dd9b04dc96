"""GPU-hours of a plan before it runs. An estimate from stated assumptions, never a measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from controller.api.placement import Pool
from controller.api.v1alpha1 import ExperimentSpec
from controller.plan.durations import (
    BANDWIDTH_UTILISATION,
    DECODE_OVERHEAD_SECONDS,
    PADDING,
    START_SECONDS,
    TRAINING_UTILISATION,
    gpu_seconds,
)
from controller.plan.gpus import GPUS
from controller.plan.graph import Plan, Step
from controller.plan.placement.sampling_memory import SEQUENCES_AT_ONCE
from controller.plan.workload import CHOSEN_THRESHOLD, REWARD_KEEPS, Workload
from w2s_jobs.contracts.families import FAMILIES

__all__ = ["Estimate", "StepEstimate", "estimate"]


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
        warnings=_unknown_sizes(plan, steps),
    )


def _step(step: Step, work: Workload, pools: Mapping[str, Pool]) -> StepEstimate:
    pool = pools.get(step.resources.pool or "")
    if pool is None or step.kind not in ("sample", "score", "train"):
        return StepEstimate(gpu_hours=0.0, price=0.0)
    parameters = work.parameters(step)
    if parameters is None:
        return StepEstimate(gpu_hours=None)
    seconds = gpu_seconds(step, parameters, work, GPUS[pool.gpu])
    hours = (seconds + START_SECONDS * step.resources.all_gpus * step.shards) / 3600
    price = None if pool.price_per_gpu_hour is None else hours * pool.price_per_gpu_hour
    return StepEstimate(gpu_hours=hours, price=price)


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
        f"sampling: {SEQUENCES_AT_ONCE} sequences at once, {BANDWIDTH_UTILISATION:.0%} of the bandwidth, "
        f"{DECODE_OVERHEAD_SECONDS * 1000:g} ms a decoding step beside it",
        f"{START_SECONDS:g} s a start of a process on each of its GPUs; steps on CPUs count as 0",
    )


def _unknown_sizes(plan: Plan, steps: Mapping[str, StepEstimate]) -> tuple[str, ...]:
    unknown = sum(steps[step.key].gpu_hours is None for step in plan.steps)
    if not unknown:
        return ()
    return (f"{unknown} steps are not counted: nothing tells the size of their model. Set `parameters` of the models",)
