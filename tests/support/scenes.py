"""What a pass sees of one experiment, whole: made for the tests of its status and its events."""

from __future__ import annotations

import random
from pathlib import Path

from controller.api.parse import parse_manifest
from controller.api.reasons import ConditionType
from controller.api.status import Condition, ExperimentStatus
from controller.plan.compile import compile_plan
from controller.plan.decide import decide
from controller.plan.graph import Plan
from controller.plan.standing.observe import observe, pods_by_job, read_jobs
from controller.plan.standing.outcomes import StepOutcome
from controller.plan.standing.scene import About, Scene
from tests.support.kube_objects import UID, a_job, a_pod, waiting_pod

__all__ = [
    "ABOUT",
    "FIRST",
    "LATER",
    "NOW",
    "PLAN",
    "SECOND",
    "a_situation",
    "condition",
    "scene",
    "shown",
    "without_times",
]

MANIFEST = Path(__file__).parents[1] / "golden" / "plans" / "two-rounds.yaml"
PLAN = compile_plan(parse_manifest(MANIFEST.read_text(), "two-rounds"))
ABOUT = About("two-rounds", "default", UID, 1, "2026-11-25T14:59:00Z", store="s3://bucket/w2s")
NOW = "2026-11-25T15:20:00Z"
LATER = "2026-11-25T15:30:00Z"
FIRST, SECOND = [step.key for step in PLAN.steps if step.kind == "prepare"][:2]


def scene(jobs=(), pods=(), done=(), plan: Plan = PLAN, missing=frozenset(), **known) -> Scene:
    by_job = pods_by_job(pods)
    states = read_jobs(plan, jobs, by_job)
    outcomes = {key: StepOutcome() for key in done} | known.pop("outcomes", {})
    observed = observe(states, frozenset(outcomes), missing)
    return Scene(plan, observed, decide(plan, observed), jobs=states, pods=by_job, outcomes=outcomes, **known)


def condition(status: ExperimentStatus, kind: ConditionType) -> Condition:
    return next(one for one in status.conditions if one.type is kind)


def shown(status: ExperimentStatus) -> dict[str, tuple[str, str]]:
    return {one.type.value: (one.status, one.reason) for one in status.conditions}


def without_times(status: ExperimentStatus) -> ExperimentStatus:
    conditions = tuple(one.model_copy(update={"last_transition_time": ""}) for one in status.conditions)
    return status.model_copy(update={"conditions": conditions, "started": None, "finished": None})


def a_situation(seed: int, plan: Plan = PLAN) -> Scene:
    """Jobs in every state, for some of the steps; deterministic by its seed."""
    chance = random.Random(seed)
    jobs, pods, done = [], [], set()
    for step in plan.steps:
        fate = chance.choice(
            ["none", "none", "done", "done here", "running", "pending", "failed", "held", "going", "unread"]
        )
        if fate in ("done", "done here"):
            done.add(step.key)
        conditions = {"done here": ["Complete"], "unread": ["Complete"], "failed": ["Failed"]}.get(fate, [])
        if fate in ("none", "done"):
            continue
        job = a_job(step.key, *conditions, kind=step.kind, failed=chance.randrange(3))
        job["spec"]["suspend"] = fate == "held"
        if fate == "going":
            job["metadata"]["deletionTimestamp"] = NOW
        jobs.append(job)
        if fate == "running":
            pods.append(a_pod(job))
        if fate == "pending":
            pods.append(waiting_pod(job, chance.choice(["ErrImagePull", "ContainerCreating"]), "words"))
        if fate == "failed":
            pods.append(a_pod(job, "Failed", chance.choice([1, 42, 137]), "last words"))
    return scene(jobs, pods, done, plan)
