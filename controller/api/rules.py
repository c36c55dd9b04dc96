"""Rules that take more than one field. Each yields the path of the field to change, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from controller.api.dataset_rules import broken_dataset_rules
from controller.api.document import Path
from controller.api.model_rules import broken_model_rules
from controller.api.placement import Pool, TrainingPlacement
from controller.api.problems import Problem
from controller.api.reward_rules import broken_reward_rules
from controller.api.secret_rules import broken_secret_rules
from controller.api.sweep_rules import broken_sweep_rules, repeated
from controller.api.v1alpha1 import WeakToStrongExperiment

__all__ = ["broken_rules"]

_RULES = (
    broken_dataset_rules,
    broken_model_rules,
    broken_sweep_rules,
    broken_reward_rules,
    broken_secret_rules,
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
    yield from _training_ranks(spec.placement.training, pools)


def _training_ranks(training: TrainingPlacement, pools: Mapping[str, Pool]) -> Iterator[Problem]:
    """Ranks, GPUs and nodes of a training must agree with each other and with its pool."""
    here: Path = ("placement", "training")
    ranks, how = training.parallelism.ranks, training.parallelism
    if training.pool is None:
        if (ranks or 1) > 1 and how.zero_stage is None:
            problem = f"ranks={ranks} needs zeroStage (0 is plain data parallelism). Add zeroStage: 2"
            yield (*here, "parallelism"), problem
        if how.offload and how.zero_stage is None:
            yield (*here, "parallelism"), "offload needs zeroStage 2 or 3; got None. Add zeroStage: 2"
        nodes = training.nodes or 1
        if nodes > 1 and (how.zero_stage is None or (ranks or 1) % nodes):
            yield (
                (*here, "nodes"),
                f"{nodes} nodes on CPUs need zeroStage, and ranks that are a multiple of {nodes}; got zeroStage="
                f"{how.zero_stage}, ranks={ranks}. Set parallelism: {{zeroStage: 2, ranks: {nodes}}}, or name a pool",
            )
        return
    if training.gpus and ranks is not None and training.gpus != ranks:
        yield (
            (*here, "gpus"),
            f"{training.gpus} GPUs for {ranks} ranks; expected one GPU a rank. "
            f"Set parallelism.ranks to {training.gpus}, or remove gpus",
        )
        return
    pool, wanted = pools.get(training.pool), ranks or training.gpus or None
    if pool is not None:
        yield from _nodes(pool, training.nodes, wanted, "gpus" if ranks is None else "ranks")


def _nodes(pool: Pool, nodes: int | None, ranks: int | None, field: str) -> Iterator[Problem]:
    here: Path = ("placement", "training")
    named = (*here, "gpus") if field == "gpus" else (*here, "parallelism", "ranks")
    most = pool.gpus_per_node * pool.nodes
    if nodes is not None and nodes > pool.nodes:
        yield (*here, "nodes"), f"{nodes} are more than pool '{pool.name}' has: {pool.nodes} nodes. Lower it"
    elif ranks is not None and ranks > most:
        if field == "ranks":  # the rule about gpus has said it of them
            yield named, f"{ranks} are more than the GPUs of pool '{pool.name}': {most}. Lower it"
    elif ranks is not None and not any(
        ranks % number == 0 and ranks // number <= pool.gpus_per_node
        for number in ((nodes,) if nodes is not None else range(1, pool.nodes + 1))
    ):
        over = f"{nodes} nodes" if nodes is not None else f"up to {pool.nodes} nodes"
        yield (
            named,
            f"{ranks} cannot be spread evenly over {over} of {pool.gpus_per_node} GPUs. "
            f"Take a multiple of {pool.gpus_per_node}",
        )
