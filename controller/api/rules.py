"""Rules that take more than one field. Each yields the path of the field to change, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

from controller.api.dataset_rules import broken_dataset_rules
from controller.api.document import Path
from controller.api.model_rules import broken_model_rules
from controller.api.problems import Problem
from controller.api.reward_rules import broken_reward_rules
from controller.api.sweep_rules import broken_sweep_rules, repeated
from controller.api.v1alpha1 import WeakToStrongExperiment

__all__ = ["broken_rules"]

_RULES = (
    broken_dataset_rules,
    broken_model_rules,
    broken_sweep_rules,
    broken_reward_rules,
)


def broken_rules(experiment: WeakToStrongExperiment) -> list[Problem]:
    """List everything that is wrong with an experiment whose fields are fine one by one."""
    return [
        (("spec", *path), message)
        for rule in (*_RULES, _seeds, _pools, _placement)
        for path, message in rule(experiment)
    ]


def _seeds(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    yield from repeated(("seeds",), experiment.spec.seeds)


def _pools(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    names = [pool.name for pool in experiment.spec.pools]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield ("pools", index, "name"), f"'{name}' is the name of another pool too. Give each its own"


def _placement(experiment: WeakToStrongExperiment) -> Iterator[Problem]:
    spec = experiment.spec
    pools = {pool.name: pool for pool in spec.pools}
    placed = (
        ("weakSampling", spec.placement.weak_sampling),
        ("strongSampling", spec.placement.strong_sampling),
        ("training", spec.placement.training),
    )
    for name, where in placed:
        here: Path = ("placement", name)
        if where.pool is None:
            if where.gpus:
                yield (*here, "gpus"), f"{where.gpus} without a pool. Name the pool that has them, or remove gpus"
            continue
        pool = pools.get(where.pool)
        if pool is None:
            known = f"expected one of {', '.join(pools)}" if pools else "spec.pools is empty. Add it there"
            yield (*here, "pool"), f"no pool is named '{where.pool}'; {known}"
            continue
        most = pool.gpus_per_node * (pool.nodes if name == "training" else 1)
        if where.gpus is not None and where.gpus > most:
            unit = "GPUs" if name == "training" else "GPUs a node, and one process stays on one node"
            yield (*here, "gpus"), f"{where.gpus} are more than pool '{pool.name}' has: {most} {unit}. Lower it"
    training = spec.placement.training
    ranks = training.parallelism.ranks
    if training.pool is not None and training.gpus is not None and training.gpus != ranks:
        yield (
            ("placement", "training", "gpus"),
            f"{training.gpus} GPUs for {ranks} ranks; expected one GPU a rank. "
            f"Set parallelism.ranks to {training.gpus}, or remove gpus",
        )
