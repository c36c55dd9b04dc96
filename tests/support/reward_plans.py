"""Plans of method `reward`, and how to ask them what reads what."""

from __future__ import annotations

from controller.plan.compile import compile_plan
from controller.plan.graph import Plan, Step
from tests.support.plan_steps import all_below
from w2s_jobs.contracts.survey import SurveyPoint

__all__ = [
    "CAPABILITIES",
    "all_below",
    "names",
    "plan_of",
    "point_of",
    "read_by",
    "starts_from_the_untouched_model",
    "training_of",
]

CAPABILITIES = ["gsm8k", "sciq", "scan"]
ONE_PAIR = [{"weak": "1.8b", "strong": "4b"}]


def plan_of(reward_experiment, pairs=ONE_PAIR, **reward) -> Plan:
    """Compile one pair, 1.8b teaching 4b, with these fields of the method."""
    return compile_plan(reward_experiment(method__reward={"pairs": pairs, **reward}))


def point_of(plan: Plan, start: str) -> SurveyPoint:
    """Return the one point whose id starts so."""
    (point,) = [one for one in plan.points if one.id.startswith(start)]
    return point


def training_of(plan: Plan, start: str) -> Step:
    """Return the one training of a point."""
    (key,) = point_of(plan, start).trains
    return plan.step(key)


def read_by(plan: Plan, step: Step, role: str) -> list[Step]:
    """Return the steps whose artifacts a step reads in a role."""
    return [plan.step(item.key) for item in step.inputs.get(role, ())]


def names(steps: list[Step]) -> list[str]:
    """Return the names of steps."""
    return [step.name for step in steps]


def starts_from_the_untouched_model(step: Step, size: str) -> bool:
    """Tell whether a training or sampling takes the model of this size as it was given."""
    return "model" not in step.inputs and step.params.model.hub.name == f"org/model-{size}"
