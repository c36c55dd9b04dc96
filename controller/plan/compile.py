"""Experiment -> Plan. Pure: the same manifest gives the same plan, byte for byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from controller.api.operations import Operations
from controller.api.v1alpha1 import WeakToStrongExperiment
from controller.plan.builder import PlanBuilder, draft_step
from controller.plan.compared import Compared, ReportHead
from controller.plan.confidence import compile_confidence
from controller.plan.gold_guard import refuse_gold_leaks
from controller.plan.graph import Plan, Point, Step
from controller.plan.placement.place import place_steps
from controller.plan.reward import compile_reward
from w2s_jobs.contracts.keys import keyed
from w2s_jobs.contracts.report import StepUse

__all__ = ["Work", "compile_plan", "compile_work", "finish_plan"]

_HOW = set(Operations.model_fields)
"""Fields of the spec that say how and where, not what: they are no part of the report, so they change no key."""


@dataclass(frozen=True)
class Work:
    """All that an experiment needs done but its report: the same for experiments that differ in their names only."""

    steps: tuple[Step, ...]
    compared: Compared
    uses: Mapping[str, int]
    """how often each step would run if nothing were shared, by key"""


def compile_plan(experiment: WeakToStrongExperiment) -> Plan:
    """Compile an experiment whose local paths are pinned (`controller/cli/pin.py`).

    Raises
    ------
    DoesNotFit
        A model fits nowhere on the pool that the manifest names for it.
    PlanRefused
        Gold labels would reach a step that must not see them. No manifest can ask for that; it is a defect of a method.
    """
    return finish_plan(compile_work(experiment), experiment)


def compile_work(experiment: WeakToStrongExperiment) -> Work:
    """Compile everything but the report. The name of the experiment has no part in it."""
    build = PlanBuilder(experiment)
    compared = _compile_method(experiment, build)
    uses = _count_uses(build.steps, compared.points)
    steps = tuple(replace(step, uses=uses.get(step.key, 1)) for step in build.steps)
    return Work(steps=steps, compared=compared, uses=uses)


def finish_plan(work: Work, experiment: WeakToStrongExperiment) -> Plan:
    """Add the report, which bears the experiment's name, and guard the gold labels (see `compile_plan`)."""
    compared = work.compared
    params = compared.params(_head(experiment, work.steps, work.uses))
    report = draft_step(compared.kind, "report", "report", params, compared.inputs)
    plan = Plan(
        experiment=experiment.metadata.name, steps=(*work.steps, report), points=compared.points, report=report.key
    )
    refuse_gold_leaks(plan)
    return place_steps(plan, experiment.spec).plan


def _compile_method(experiment: WeakToStrongExperiment, build: PlanBuilder) -> Compared:
    """Call the compiler of the one method that is set. Nothing else asks which it is."""
    method = experiment.spec.method
    if method.confidence is not None:
        return compile_confidence(build, method.confidence)
    if method.reward is not None:
        return compile_reward(build, method.reward)
    raise AssertionError("parsing lets no experiment through without a method that can be compiled")


def _count_uses(steps: Iterable[Step], points: Iterable[Point]) -> Mapping[str, int]:
    """Count how often each step would run if every point computed all that it needs by itself."""
    needs = {step.key: tuple({item.key for items in step.inputs.values() for item in items}) for step in steps}
    uses: Counter[str] = Counter()
    for point in points:
        found: set[str] = set()
        stack = list(point.evaluated)
        while stack:
            key = stack.pop()
            if key not in found:
                found.add(key)
                stack.extend(needs[key])
        uses.update(found)
    return uses


def _head(experiment: WeakToStrongExperiment, steps: Iterable[Step], uses: Mapping[str, int]) -> ReportHead:
    spec = experiment.spec
    return ReportHead(
        title=experiment.metadata.name,
        description=spec.description,
        uses=tuple(StepUse(kind=step.kind, key=step.key, uses=uses.get(step.key, 1)) for step in steps),
        manifest={
            "apiVersion": experiment.api_version,
            "kind": experiment.kind,
            "metadata": {"name": experiment.metadata.name},
            # A pinned path is left out: the report of the same data is the same wherever it lay.
            "spec": keyed(spec.model_dump(mode="json", by_alias=True, exclude=_HOW, exclude_defaults=True)),
        },
        resamples=spec.evaluation.resamples,
        confidence_level=spec.evaluation.confidence_level,
        seed=spec.evaluation.seed,
    )
