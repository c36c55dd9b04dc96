"""Steps of a plan, as tests speak of them."""

from __future__ import annotations

from controller.plan.graph import Plan

__all__ = ["all_below", "changed", "keys", "named"]


def named(plan: Plan, text: str) -> list[str]:
    """Names of the steps in which a text is."""
    return [step.name for step in plan.steps if text in step.name]


def keys(plan: Plan) -> set[str]:
    """The keys of all steps."""
    return {step.key for step in plan.steps}


def changed(before: Plan, after: Plan) -> set[str]:
    """Names of the steps that only the second plan has."""
    return {step.name for step in after.steps if step.key not in keys(before)}


def all_below(plan: Plan, key: str) -> set[str]:
    """Keys of all that a step reads, and of all that was read for that."""
    found: set[str] = set()
    stack = [key]
    while stack:
        one = stack.pop()
        if one not in found:
            found.add(one)
            stack.extend(plan.dependencies(plan.step(one)))
    return found
