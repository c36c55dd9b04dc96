"""Can a Job be made of every step of a plan? Asked before the first one is created."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from controller.errors import InvalidExperiment
from controller.plan.graph import Step
from controller.plan.jobs.context import JobContext
from controller.plan.jobs.job import build_job
from controller.plan.jobs.spec_annotation import may_be_long, render_spec

__all__ = ["check_jobs"]


def check_jobs(steps: Iterable[Step], context: JobContext) -> None:
    """Build a Job of every shape that the steps have, and the spec of every step that may be too long for one.

    A step whose Job cannot be made would end its experiment after all steps before it have run.

    Raises
    ------
    InvalidExperiment
        With each thing that `build_job` would refuse, once.
    """
    problems: dict[str, None] = {}
    shapes: set[Hashable] = set()
    for step in steps:
        shape = _shape(step)
        try:
            if shape not in shapes:
                shapes.add(shape)
                build_job(step, context)
            elif may_be_long(step):
                render_spec(step, context)
        except InvalidExperiment as refused:
            problems.update(dict.fromkeys(refused.problems))
    if problems:
        raise InvalidExperiment(context.owner.name, [*problems])


def _shape(step: Step) -> Hashable:
    """Return what Jobs differ in beside names and specs."""
    return step.kind, step.resources, step.shards > 1, step.parallelism
