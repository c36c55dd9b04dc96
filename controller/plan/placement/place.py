"""Place every step of a plan: what runs on a pool gets its GPUs, shards and parallelism. No key depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from controller.api.document import render_path
from controller.api.placement import Pool, SamplingPlacement
from controller.api.problems import Problem
from controller.api.v1alpha1 import ExperimentSpec
from controller.errors import DoesNotFit
from controller.plan.durations import gpu_seconds
from controller.plan.gpus import GPUS
from controller.plan.graph import Plan, Step
from controller.plan.placement.choice import Choice, cards_of
from controller.plan.placement.disk import model_bytes
from controller.plan.placement.sampling import (
    Work,
    choose_sampling,
    choose_scoring,
    choose_shards,
    choose_whole,
)
from controller.plan.placement.sampling_memory import SamplingShape
from controller.plan.placement.shapes import ModelShape
from controller.plan.placement.training import choose_training, follow_training
from controller.plan.placement.training_memory import TrainingShape
from controller.plan.workload import Workload
from w2s_jobs.contracts.step_params import SampleParams, TrainParams

__all__ = ["PlacedPlan", "Placement", "place_steps"]

UNKNOWN = "nothing tells the size of its model, so nothing is computed. Set `parameters` of the model"


@dataclass(frozen=True)
class Placement:
    """Steps of one shape and where they run."""

    kind: str
    model: str
    """name of the model in the manifest"""
    parameters: float | None
    pool: str
    choice: Choice
    steps: tuple[str, ...]
    """keys of the steps"""


@dataclass(frozen=True)
class PlacedPlan:
    """A plan whose steps know their resources, and why these."""

    plan: Plan
    placements: tuple[Placement, ...]
    """placements on pools, one for each distinct shape, in the order of the plan"""
    warnings: tuple[str, ...]
    """what does not fit and is tried all the same, as placement.onMisfit says"""


def place_steps(plan: Plan, spec: ExperimentSpec) -> PlacedPlan:
    """Place the steps that a placement of the manifest sends to a pool; all others stay as they are.

    Raises
    ------
    DoesNotFit
        A model fits nowhere on its pool. Holds every such problem, with its path, arithmetic and fix.
    """
    placing = _Placing(plan, spec)
    choices = {step.key: placing.choice(step) for step in plan.steps if step.resources.pool is not None}
    placements = placing.placements(choices)
    misfits = [(placing.path(plan.step(one.steps[0])), one) for one in placements if not one.choice.fits]
    problems: list[Problem] = [(path, f"{one.choice.reason}. {one.choice.fix}") for path, one in misfits]
    if problems and spec.placement.on_misfit == "stop":
        found = list(dict.fromkeys(problems))
        lines = [f"{render_path(path)}: {message}" for path, message in found]
        raise DoesNotFit(plan.experiment, lines, found)
    return PlacedPlan(
        plan=replace(plan, steps=tuple(_placed(step, choices.get(step.key)) for step in plan.steps)),
        placements=placements,
        warnings=tuple(dict.fromkeys(one.choice.reason for _, one in misfits)),
    )


def _placed(step: Step, choice: Choice | None) -> Step:
    if choice is None:
        return step
    return replace(
        step, resources=choice.resources(step.resources), shards=choice.shards, parallelism=choice.parallelism
    )


class _Placing:
    """The choices of one plan; steps of the same shape share one."""

    def __init__(self, plan: Plan, spec: ExperimentSpec) -> None:
        self._wanted = spec.placement
        self._pools: Mapping[str, Pool] = {pool.name: pool for pool in spec.pools}
        self._work = Workload(plan, spec)
        self._plan = plan
        self._train = cache(choose_training)
        self._sample = cache(choose_sampling)

    def choice(self, step: Step) -> Choice:
        """Choose for one step."""
        model = self._work.model(step)
        shape = None if model is None else model.shape
        if isinstance(step.params, TrainParams):
            return self._training(step, step.params, shape)
        wanted = self._sampling_wanted(step)
        if shape is None:
            return Choice(gpus=wanted.gpus or 1, shards=wanted.shards or 1, reason=UNKNOWN)
        cards = cards_of(self._pool(step))
        if isinstance(step.params, SampleParams):
            tokens = min(round(self._work.sequence_tokens(step)), shape.positions)
            size = 4 if step.params.sampling.dtype == "float32" else 2
            sampled = SamplingShape(shape, tokens, size)
            choose = choose_whole if step.params.engine == "transformers" else self._sample
            choice = choose(sampled, cards, wanted)
        else:
            size, choice = 2, choose_scoring(shape, cards, wanted)
        choice = replace(choice, disk=model_bytes(shape, size))
        parameters = self._work.parameters(step) or shape.parameters
        seconds = gpu_seconds(step, parameters, self._work, GPUS[self._pool(step).gpu])
        return choose_shards(choice, Work(seconds, self._work.rows_read(step)), cards, wanted)

    def placements(self, choices: Mapping[str, Choice]) -> tuple[Placement, ...]:
        """Group steps whose kind, model and choice are the same."""
        groups: dict[tuple[str, str, str, Choice], list[Step]] = {}
        for key, choice in choices.items():
            step = self._plan.step(key)
            model = self._work.model(step)
            name = "" if model is None else model.name
            groups.setdefault((step.kind, name, step.resources.pool or "", choice), []).append(step)
        return tuple(
            Placement(kind, name, self._work.parameters(steps[0]), pool, choice, tuple(step.key for step in steps))
            for (kind, name, pool, choice), steps in groups.items()
        )

    def path(self, step: Step) -> tuple[str | int, ...]:
        """Return the place in the manifest that says where a step runs."""
        if step.kind == "train":
            return ("spec", "placement", "training")
        return ("spec", "placement", "weakSampling" if self._is_weak(step) else "strongSampling")

    def _training(self, step: Step, params: TrainParams, shape: ModelShape | None) -> Choice:
        wanted = self._wanted.training
        if shape is None:
            followed = follow_training(wanted)
            nodes = wanted.nodes or -(-followed.ranks // self._pool(step).gpus_per_node)
            return Choice(gpus=-(-followed.ranks // nodes), nodes=nodes, parallelism=followed, reason=UNKNOWN)
        trained = TrainingShape(shape, params.training, reward=params.reward is not None)
        return self._train(trained, cards_of(self._pool(step)), wanted)

    def _sampling_wanted(self, step: Step) -> SamplingPlacement:
        return self._wanted.weak_sampling if self._is_weak(step) else self._wanted.strong_sampling

    @staticmethod
    def _is_weak(step: Step) -> bool:
        """Tell whether a step is placed as weak sampling; reward models judge where strong models are sampled."""
        return step.kind == "sample" and step.role == "weak"

    def _pool(self, step: Step) -> Pool:
        return self._pools[step.resources.pool or ""]
