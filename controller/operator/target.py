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
from controller.operator.recent import Recent
from controller.plan.graph import Plan
from controller.plan.jobs import JobContext, Operations, Owner, check_jobs
from controller.plan.standing.scene import About
from controller.settings import Installation

__all__ = ["Installed", "Target"]

_MOST_STEPS = 40_000
"""Steps of all plans that are kept, 5 kB each; the plan that was used longest ago is compiled again when needed"""


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
        self._ready: Recent[tuple[Compiled, JobContext]] = Recent(_MOST_STEPS, lambda ready: len(ready[0].plan.steps))

    def target(self, name: Name, obj: Mapping[str, Any]) -> Target:
        """Make an experiment ready: once a generation.

        Raises
        ------
        InvalidExperiment, PlanRefused
            It can never run as it is; the message says what to change.
        """
        metadata = obj["metadata"]
        compiled, context = self._ready.get(
            (metadata["uid"], metadata["generation"]), lambda: self._make_ready(name, obj)
        )
        return Target(
            name=name, obj=obj, compiled=compiled, context=context, artifacts=self._stores.open(context.store)
        )

    def _make_ready(self, name: Name, obj: Mapping[str, Any]) -> tuple[Compiled, JobContext]:
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
        context = JobContext(
            owner=Owner(name=name.name, uid=obj["metadata"]["uid"], namespace=name.namespace),
            installation=self._installation,
            store=self._stores.choose(spec.storage.name if spec.storage else None, name),
            operations=Operations(
                queue=spec.queue,
                priority_class_name=spec.priority_class_name,
                image=spec.image,
                pool_gpus={pool.name: pool.gpu for pool in spec.pools},
                pod_template=spec.pod_template.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            ),
        )
        check_jobs(compiled.plan.steps, context)
        return compiled, context
