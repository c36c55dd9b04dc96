"""What a Job depends on beside its step: who asks for it, where it runs, where its artifact goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from controller.api.placement import GpuType
from controller.errors import InvalidExperiment
from controller.plan.graph import Step
from controller.settings import Installation, NodePool, Store

__all__ = ["JobContext", "Operations", "Owner"]


@dataclass(frozen=True)
class Owner:
    """The experiment that asks for the step."""

    name: str
    uid: str
    namespace: str


@dataclass(frozen=True)
class Operations:
    """What an experiment says about how its pods run. Nothing here enters a key."""

    queue: str | None = None
    """queue of Kueue in the experiment's namespace; the installation's where this is None"""
    priority_class_name: str | None = None
    image: str | None = None
    pool_gpus: Mapping[str, GpuType] = field(default_factory=dict)
    """types of GPU that the experiment was placed on, by its pools' names"""
    pod_template: Mapping[str, Any] = field(default_factory=dict)
    """fragment of a PodTemplateSpec (overlay.py)"""


@dataclass(frozen=True)
class JobContext:
    """All that the Jobs of one experiment have in common."""

    owner: Owner
    installation: Installation
    store: Store
    operations: Operations = Operations()

    def pool_of(self, step: Step) -> NodePool | None:
        """Return the nodes that the step asks for, or None where any node will do.

        Raises
        ------
        InvalidExperiment
            The installation has no pool of that name, or one of another type of GPU.
        """
        name = step.resources.pool
        if name is None:
            return None
        pool, wanted = self._pools.get(name), self.operations.pool_gpus.get(name)
        if pool is None:
            known = ", ".join(sorted(self._pools)) or "none"
            raise self._refused(
                f"spec.pools: this installation has no pool '{name}'; its pools: {known}. Name one of them, or have it "
                "added to the controller's settings"
            )
        if wanted and pool.gpu and wanted != pool.gpu:
            raise self._refused(
                f"spec.pools: pool '{name}' has gpu {wanted}, but {pool.gpu} in this installation, so its steps would "
                f"be placed wrongly. Set gpu: {pool.gpu}, or name another pool"
            )
        return pool

    def _refused(self, problem: str) -> InvalidExperiment:
        return InvalidExperiment(self.owner.name, [problem])

    @property
    def queue(self) -> str | None:
        """Queue that Jobs wait in, or None where they start by themselves."""
        return self.operations.queue or self.installation.workers.queue

    @cached_property
    def _pools(self) -> Mapping[str, NodePool]:
        return {pool.name: pool for pool in self.installation.pools}
