"""What a Job depends on beside its step: who asks for it, where it runs, where its artifact goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

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
            The installation has no pool of that name.
        """
        name = step.resources.pool
        if name is None:
            return None
        if name not in self._pools:
            known = ", ".join(sorted(self._pools)) or "none"
            raise InvalidExperiment(
                self.owner.name,
                [
                    f"spec.pools: this installation has no pool '{name}'; its pools: {known}. Name one of them, or "
                    "have it added to the controller's settings"
                ],
            )
        return self._pools[name]

    @property
    def queue(self) -> str | None:
        """Queue that Jobs wait in, or None where they start by themselves."""
        return self.operations.queue or self.installation.workers.queue

    @cached_property
    def _pools(self) -> Mapping[str, NodePool]:
        return {pool.name: pool for pool in self.installation.pools}
