"""Experiment -> Plan. Pure: the same manifest gives the same plan, byte for byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from controller.api.v1alpha1 import WeakToStrongExperiment
from controller.plan.builder import PlanBuilder
from controller.plan.compared import Compared, ReportHead
from controller.plan.confidence import compile_confidence
from controller.plan.gold_guard import refuse_gold_leaks
from controller.plan.graph import Plan, Point, Step
from controller.plan.placement.place import place_steps
from controller.plan.reward import compile_reward
from w2s_jobs.contracts.keys import keyed
from w2s_jobs.contracts.report import StepUse

__all__ = ["compile_plan"]

_HOW = {"pools", "placement", "storage"}
"""Fields of the spec that say how and where, not what: they are no part of the report, so they change no key."""


def compile_plan(experiment: WeakToStrongExperiment) -> Plan:
    """Compile an experiment whose local paths are pinned (`controller/cli/pin.py`).

    Raises
    ------
    DoesNotFit
        A model fits nowhere on the pool that the manifest names for it.
    PlanRefused
        Gold labels would reach a step that must not see them. No manifest can ask for that; it is a defect of a method.
    """
    build = PlanBuilder(experiment)
    compared = _compile_method(experiment, build)
    uses = _count_uses(build.steps, compared.points)
    params = compared.params(_head(experiment, build.steps, uses))
    report = build.light(compared.kind, params, compared.inputs, "report", "report")
    plan = Plan(
        experiment=experiment.metadata.name,
        steps=tuple(replace(step, uses=uses.get(step.key, 1)) for step in build.steps),
        points=compared.points,
        report=report.key,
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
