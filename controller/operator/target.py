"""An experiment made ready for a pass: its plan, its store, and what all its Jobs have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from controller.api.v1alpha1 import ExperimentSpec
from controller.errors import InvalidExperiment
from controller.operator.artifacts import Artifacts, Stores
from controller.operator.cluster import Name
from controller.operator.compiled import Compiled, Plans
from controller.plan.graph import Plan
from controller.plan.jobs import JobContext, Operations, Owner
from controller.plan.standing.scene import About
from controller.settings import Installation

__all__ = ["Installed", "Target"]


@dataclass(frozen=True)
class Target:
    """What a pass works on."""

    name: Name
    obj: Mapping[str, Any]
    compiled: Compiled
    context: JobContext
    artifacts: Artifacts

    @property
    def uid(self) -> str:
        """Uid of the experiment."""
        return self.context.owner.uid

    @property
    def plan(self) -> Plan:
        """Its plan."""
        return self.compiled.plan

    @property
    def spec(self) -> ExperimentSpec:
        """Its spec."""
        return self.compiled.experiment.spec

    @cached_property
    def about(self) -> About:
        """What its status says of it."""
        spec, metadata = self.spec, self.obj["metadata"]
        return About(
            name=self.name.name,
            namespace=self.name.namespace,
            uid=self.uid,
            generation=metadata["generation"],
            created=metadata["creationTimestamp"],
            suspend=spec.suspend,
            max_parallel_steps=spec.max_parallel_steps,
            store=self.context.store.settings.uri,
        )


class Installed:
    """The installation with its stores, and the plans of its experiments."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._stores = Stores(installation)
        self._plans = Plans()

    def target(self, name: Name, obj: Mapping[str, Any]) -> Target:
        """Make an experiment ready.

        Raises
        ------
        InvalidExperiment, PlanRefused
            It can never run as it is; the message says what to change.
        """
        compiled = self._plans.compile(obj)
        spec = compiled.experiment.spec
        if spec.storage is not None and spec.storage.name is None:
            raise InvalidExperiment(
                str(name),
                [
                    "spec.storage.uri: on a cluster a store is named: no experiment holds its address or a key; "
                    f"got {spec.storage.uri!r}. Write storage: {{name: …}}, or leave it out for the default store"
                ],
            )
        store = self._stores.choose(spec.storage.name if spec.storage else None, name)
        context = JobContext(
            owner=Owner(name=name.name, uid=obj["metadata"]["uid"], namespace=name.namespace),
            installation=self._installation,
            store=store,
            operations=Operations(
                queue=spec.queue,
                priority_class_name=spec.priority_class_name,
                image=spec.image,
                pool_gpus={pool.name: pool.gpu for pool in spec.pools},
                pod_template=spec.pod_template.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            ),
        )
        return Target(name=name, obj=obj, compiled=compiled, context=context, artifacts=self._stores.open(store))
