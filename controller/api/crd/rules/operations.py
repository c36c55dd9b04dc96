"""Rules about where and how an experiment runs, as `controller/api/rules.py` has them."""

from __future__ import annotations

from controller.api.crd.rules.rule import Rule
from controller.api.operations import Storage
from controller.api.placement import SamplingPlacement, TrainingPlacement
from controller.api.v1alpha1 import ExperimentSpec
from w2s_jobs.contracts.settings import Parallelism

__all__ = ["OPERATION_RULES"]

_POOLS = "self.pools"
_MOST = {
    "weakSampling": ("pool.gpusPerNode", "one process stays on one node"),
    "strongSampling": ("pool.gpusPerNode", "one process stays on one node"),
    "training": ("pool.gpusPerNode * pool.nodes", "one GPU a rank"),
}
"""Most GPUs that a placement can have of a pool, and why"""


def _of_place(name: str) -> tuple[Rule, Rule]:
    here, (most, why) = f"self.placement.{name}", _MOST[name]
    return (
        Rule(
            ExperimentSpec,
            f"!has({here}.pool) || {_POOLS}.exists(pool, pool.name == {here}.pool)",
            "names no pool of spec.pools. Add it there, or name one of those",
            f".placement.{name}.pool",
        ),
        Rule(
            ExperimentSpec,
            f"!has({here}.pool) || !has({here}.gpus) || "
            f"{_POOLS}.all(pool, pool.name != {here}.pool || {here}.gpus <= {most})",
            f"more than the pool has: {why}. Lower it",
            f".placement.{name}.gpus",
        ),
    )


OPERATION_RULES = (
    Rule(Storage, "has(self.name) != has(self.uri)", "exactly one of name, uri must be set. Give one and no other"),
    Rule(
        Storage,
        "has(self.uri) || !(has(self.endpoint) || has(self.region))",
        "the store that name names has its own endpoint and region. Remove them, or give a uri",
    ),
    Rule(
        Parallelism,
        "self.ranks == 1 || has(self.zeroStage)",
        "ranks above 1 need zeroStage (0 is plain data parallelism). Add zeroStage: 2",
    ),
    Rule(
        Parallelism,
        "!self.offload || self.?zeroStage.orValue(0) >= 2",
        "offload needs zeroStage 2 or 3. Add zeroStage: 2",
    ),
    *(
        Rule(
            on,
            "has(self.pool) || self.?gpus.orValue(0) == 0",
            "GPUs without a pool. Name the pool that has them, or remove gpus",
            ".gpus",
        )
        for on in (SamplingPlacement, TrainingPlacement)
    ),
    Rule(
        TrainingPlacement,
        "!has(self.pool) || self.?gpus.orValue(self.parallelism.ranks) == self.parallelism.ranks",
        "expected one GPU a rank. Set parallelism.ranks to as many, or remove gpus",
        ".gpus",
    ),
    *(rule for name in _MOST for rule in _of_place(name)),
)
