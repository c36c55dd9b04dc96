"""Where a step's pods may run: the pool's nodes, and one rack for the nodes of one training."""

from __future__ import annotations

import copy
from typing import Any

from controller.plan.graph import Step
from controller.plan.jobs.context import JobContext
from controller.plan.jobs.names import pods_of
from controller.settings import NodePool

__all__ = ["build_scheduling", "node_selector_of"]

_POOL_LABEL = "w2s.dev/pool"
_GPU_TAINT = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}


def build_scheduling(step: Step, context: JobContext) -> dict[str, Any]:
    """Build the fields of a pod's spec that choose its node; none for a step without a pool."""
    pool = context.pool_of(step)
    fields: dict[str, Any] = {}
    if priority := context.operations.priority_class_name or context.installation.workers.priority_class_name:
        fields["priorityClassName"] = priority
    if pool is None:
        return fields
    fields["nodeSelector"] = node_selector_of(pool)
    fields["tolerations"] = [dict(toleration) for toleration in pool.tolerations or (_GPU_TAINT,)]
    if affinity := _affinity(step, context, pool):
        fields["affinity"] = affinity
    return fields


def node_selector_of(pool: NodePool) -> dict[str, str]:
    """Return the labels of a pool's nodes."""
    return dict(sorted(pool.node_selector.items())) or {_POOL_LABEL: pool.name}


def _affinity(step: Step, context: JobContext, pool: NodePool) -> dict[str, Any]:
    """Return the pool's affinity, and for nodes that train together also one to each other."""
    affinity = copy.deepcopy(pool.affinity)
    if step.resources.nodes == 1 or pool.topology_key is None:
        return affinity
    together = {"topologyKey": pool.topology_key, "labelSelector": {"matchLabels": pods_of(step, context.store)}}
    required = affinity.setdefault("podAffinity", {}).setdefault("requiredDuringSchedulingIgnoredDuringExecution", [])
    required.append(together)
    return affinity
