"""Where steps run on pools, and why: the part of `w2s plan` about placement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from controller.plan.placement.place import PlacedPlan, Placement

__all__ = ["placement_lines", "placements_json"]


def placement_lines(placed: PlacedPlan) -> list[str]:
    """Write one line for each distinct shape of work, and one below it with the reason; nothing without pools."""
    if not placed.placements:
        return []
    lines = ["placement on pools (docs/placement.md), from an estimate of memory:"]
    for one in placed.placements:
        size = "" if one.parameters is None else f" ({one.parameters / 1e9:.2g}B)"
        steps = "1 step" if len(one.steps) == 1 else f"{len(one.steps)} steps"
        lines += [f"  {one.kind} {one.model}{size} on {one.pool}, {steps}:", f"    {one.choice.reason}"]
    return lines


def placements_json(placed: PlacedPlan) -> list[dict[str, Any]]:
    """Return the placements as plain JSON values."""
    return [_as_json(one) for one in placed.placements]


def _as_json(one: Placement) -> dict[str, Any]:
    choice = one.choice
    values: dict[str, Any] = {
        "kind": one.kind,
        "model": one.model,
        "parameters": one.parameters,
        "pool": one.pool,
        "gpus": choice.gpus,
        "nodes": choice.nodes,
        "shards": choice.shards,
        "gpuMemory": round(choice.memory),
        "hostMemory": round(choice.host_memory),
        "disk": round(choice.disk),
        "fits": choice.fits,
        "reason": choice.reason,
        "steps": list(one.steps),
    }
    if one.kind == "train":
        values["parallelism"] = choice.parallelism.model_dump(mode="json", by_alias=True)
        values |= {"microBatch": choice.micro_batch, "accumulation": choice.accumulation}
    return values
