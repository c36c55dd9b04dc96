"""The plan as data: steps that know each other by their keys, in an order in which they could run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from w2s_jobs.contracts.artifact import ArtifactRef, Input
from w2s_jobs.contracts.keys import canonical_json
from w2s_jobs.contracts.kinds import StepKind
from w2s_jobs.contracts.report import ReportPoint
from w2s_jobs.contracts.settings import Parallelism
from w2s_jobs.contracts.steps import StepParams
from w2s_jobs.contracts.survey import SurveyPoint

__all__ = ["Plan", "Point", "Resources", "Step"]

Point = ReportPoint | SurveyPoint
"""What a report compares: one model, or one way of making models."""

_WEIGHTS: Mapping[str, float] = {"train": 20.0, "sample": 10.0, "score": 10.0}
"""How long a step of a kind takes beside the others (1), roughly: enough to start the longest path first."""


@dataclass(frozen=True)
class Resources:
    """What one process of a step holds while it runs."""

    threads: int = 1
    """CPU threads"""
    gpus: int = 0
    pool: str | None = None
    """name of the pool of the manifest that pays for the GPUs"""
    nodes: int = 1
    """processes of a training that compute together, each on a node of its own and each holding all of the above"""
    host_memory: int = 0
    """bytes of the node's memory that one process needs for the model, beside its program; 0 where nothing tells"""
    disk: int = 0
    """bytes of scratch space that one process needs for models and checkpoints; 0 where nothing tells"""

    @property
    def all_gpus(self) -> int:
        """GPUs on all nodes."""
        return self.gpus * self.nodes


@dataclass(frozen=True)
class Step:
    """One unit of work. Its key says what is computed; resources, shards and parallelism only how."""

    kind: StepKind
    key: str
    name: str
    """short label for people, such as `train round 1 t=50 seed 0`"""
    role: str
    """what it serves: `data`, `weak`, `strong`, a role of ReportPoint, `report`"""
    params: StepParams
    inputs: Mapping[str, tuple[Input, ...]] = field(default_factory=dict)
    """files of other steps' artifacts by role"""
    resources: Resources = Resources()
    shards: int = 1
    """processes that share the rows of this step (sample and score)"""
    parallelism: Parallelism = field(default_factory=Parallelism)
    """how a training is spread over devices"""
    uses: int = 1
    """how often it would run if every point of the report computed everything itself"""

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def ref(self) -> ArtifactRef:
        """The artifact that this step makes."""
        return ArtifactRef.model_construct(kind=self.kind, key=self.key)

    def to_json(self) -> dict[str, Any]:
        """Build the step as plain JSON values."""
        return {
            "kind": self.kind,
            "key": self.key,
            "name": self.name,
            "role": self.role,
            "params": self.params.model_dump(mode="json", by_alias=True),
            "inputs": {
                role: [item.model_dump(mode="json") for item in items] for role, items in sorted(self.inputs.items())
            },
            "resources": {
                "threads": self.resources.threads,
                "gpus": self.resources.gpus,
                "pool": self.resources.pool,
                # On one node of CPUs there is nothing to tell, and a plan reads as it always did.
                **({"nodes": self.resources.nodes} if self.resources.pool or self.resources.nodes > 1 else {}),
            },
            "shards": self.shards,
            "parallelism": self.parallelism.model_dump(mode="json", by_alias=True),
            "uses": self.uses,
        }


@dataclass(frozen=True)
class Plan:
    """What an experiment needs done, every step once, each after all that it reads."""

    experiment: str
    """name of the experiment"""
    steps: tuple[Step, ...]
    """steps in topological order; the order is a function of the manifest alone"""
    points: tuple[Point, ...]
    """points that the report compares"""
    report: str
    """key of the report step: the plan is done when it is"""

    @cached_property
    def by_key(self) -> Mapping[str, Step]:
        """The steps by their keys."""
        return {step.key: step for step in self.steps}

    def step(self, key: str) -> Step:
        """Return the step with this key, or raise KeyError."""
        return self.by_key[key]

    def dependencies(self, step: Step) -> tuple[str, ...]:
        """Return the keys of the steps whose artifacts `step` reads, each once, in the order of its inputs."""
        return self._dependencies[step.key]

    def dependents(self, step: Step) -> tuple[str, ...]:
        """Return the keys of the steps that read the artifact of `step`, in the order of the plan."""
        return self._dependents[step.key]

    def ready(self, done: Collection[str]) -> tuple[Step, ...]:
        """Return the steps that are not done and read nothing but what is done, in the order of the plan."""
        finished = done if isinstance(done, set | frozenset) else set(done)
        return tuple(
            step
            for step in self.steps
            if step.key not in finished and all(key in finished for key in self._dependencies[step.key])
        )

    def position(self, step: Step) -> int:
        """Return the place of a step in the order of the plan."""
        return self._positions[step.key]

    def downstream_work(self, step: Step) -> float:
        """Return the weight of the heaviest path from a step to the end of the plan, the step included."""
        return self._downstream_work[step.key]

    def to_json(self) -> dict[str, Any]:
        """Build the plan as plain JSON values."""
        return {
            "experiment": self.experiment,
            "report": self.report,
            "points": [point.model_dump(mode="json", by_alias=True) for point in self.points],
            "steps": [step.to_json() for step in self.steps],
        }

    def canonical(self) -> str:
        """Render the plan as canonical JSON: equal manifests give equal bytes."""
        return canonical_json(self.to_json())

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        return {step.key: index for index, step in enumerate(self.steps)}

    @cached_property
    def _downstream_work(self) -> Mapping[str, float]:
        work: dict[str, float] = {}
        for step in reversed(self.steps):
            behind = max((work[key] for key in self._dependents[step.key]), default=0.0)
            work[step.key] = behind + _WEIGHTS.get(step.kind, 1.0)
        return work

    @cached_property
    def _dependencies(self) -> Mapping[str, tuple[str, ...]]:
        return {
            step.key: tuple(dict.fromkeys(item.key for items in step.inputs.values() for item in items))
            for step in self.steps
        }

    @cached_property
    def _dependents(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {step.key: [] for step in self.steps}
        for step in self.steps:
            for key in self._dependencies[step.key]:
                found[key].append(step.key)
        return {key: tuple(dependents) for key, dependents in found.items()}
