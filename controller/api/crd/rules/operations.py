"""Rules about where and how an experiment runs, as `controller/api/rules.py` has them."""

from __future__ import annotations

from controller.api.crd.rules.rule import Rule
from controller.api.operations import Storage
from controller.api.placement import SamplingPlacement, TrainingParallelism, TrainingPlacement
from controller.api.v1alpha1 import ExperimentSpec

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


def _of_training(cel: str, message: str, field: str) -> Rule:
    """Make a rule about the pool that trains."""
    return Rule(
        ExperimentSpec,
        f"self.pools.all(pool, pool.name != self.placement.training.pool || {cel})",
        message,
        f".placement.training.{field}",
        "has(self.placement.training.pool)",
    )


_RANKS, _STAGE = "self.?parallelism.?ranks", "self.?parallelism.?zeroStage"
_ON_CPUS = "!has(self.pool)"

OPERATION_RULES = (
    Rule(Storage, "has(self.name) != has(self.uri)", "exactly one of name, uri must be set. Give one and no other"),
    Rule(
        Storage,
        "has(self.uri) || !(has(self.endpoint) || has(self.region))",
        "the store that name names has its own endpoint and region. Remove them, or give a uri",
    ),
    Rule(
        TrainingParallelism,
        "!self.?offload.orValue(false) || self.?zeroStage.orValue(2) >= 2",
        "offload needs zeroStage 2 or 3. Add zeroStage: 2",
    ),
    Rule(
        TrainingPlacement,
        f"{_RANKS}.orValue(1) == 1 || {_STAGE}.hasValue()",
        "ranks above 1 need zeroStage (0 is plain data parallelism). Add zeroStage: 2",
        ".parallelism",
        _ON_CPUS,
    ),
    Rule(
        TrainingPlacement,
        f"!self.?parallelism.?offload.orValue(false) || {_STAGE}.hasValue()",
        "offload needs zeroStage 2 or 3. Add zeroStage: 2",
        ".parallelism",
        _ON_CPUS,
    ),
    Rule(
        TrainingPlacement,
        f"self.?nodes.orValue(1) == 1 || ({_STAGE}.hasValue() && {_RANKS}.orValue(1) % self.nodes == 0)",
        "nodes on CPUs need zeroStage, and ranks that are a multiple of them. Set both, or name a pool of GPUs",
        ".nodes",
        _ON_CPUS,
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
        f"self.?gpus.orValue(0) == 0 || {_RANKS}.orValue(self.gpus) == self.gpus",
        "expected one GPU a rank. Set parallelism.ranks to as many, or remove gpus",
        ".gpus",
        "has(self.pool)",
    ),
    _of_training(
        "self.placement.training.?nodes.orValue(1) <= pool.nodes",
        "more than the pool has. Lower it",
        "nodes",
    ),
    _of_training(
        "self.placement.training.?parallelism.?ranks.orValue(1) <= pool.gpusPerNode * pool.nodes",
        "more than the GPUs of the pool. Lower it",
        "parallelism.ranks",
    ),
    *(rule for name in _MOST for rule in _of_place(name)),
)
