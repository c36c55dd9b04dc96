"""One pass over one experiment: observe, decide, apply, status.

Level-triggered: a pass never asks what woke it, and a pass that finds everything as it should be writes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.errors import InvalidExperiment, PlanRefused
from controller.kube.errors import Forbidden
from controller.operator.artifacts import Artifacts
from controller.operator.cluster import Cluster, Name
from controller.operator.compiled import Compiled
from controller.operator.installed import Installed
from controller.operator.lifetime import Lifetime
from controller.operator.memory import Memory
from controller.operator.report import Reporter
from controller.plan.decide import Decision, Observed, decide
from controller.plan.graph import Plan, Step
from controller.plan.jobs import JobContext, Owner, job_name
from controller.plan.standing.observe import JobPhase, JobState, observe, read_jobs
from w2s_jobs.contracts.errors import JobError

__all__ = ["Reconciler"]

log = logging.getLogger(__name__)

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """An experiment that can run: what a pass works on."""

    name: Name
    obj: Object
    compiled: Compiled
    context: JobContext
    artifacts: Artifacts

    @property
    def uid(self) -> str:
        """uid of the experiment."""
        return self.context.owner.uid

    @property
    def plan(self) -> Plan:
        """Its plan."""
        return self.compiled.plan


@dataclass(frozen=True)
class Seen:
    """What a pass found."""

    observed: Observed
    jobs: Mapping[str, JobState]
    """by key"""
    pods: Mapping[str, Sequence[Object]]
    """by the uid of their Job"""


class Reconciler:
    """Makes the cluster hold the Jobs that each experiment still needs, and says how it stands."""

    def __init__(self, cluster: Cluster, installed: Installed, reporter: Reporter) -> None:
        self._cluster = cluster
        self._installed = installed
        self._reporter = reporter
        self._memories: dict[str, Memory] = {}

    def reconcile(self, name: Name) -> float | None:
        """Do one pass; return the seconds after which the next one is due, None when only a change makes one due.

        Raises
        ------
        KubeError
            The API server could not be asked, or the leadership is lost.
        """
        obj = self._cluster.experiments.get(*name)
        if obj is None or obj["metadata"].get("deletionTimestamp"):
            return self._forget(name)
        lifetime = Lifetime.of(obj)
        if lifetime.is_over:
            return self._cluster.delete_experiment(obj)
        memory = self._memories.setdefault(obj["metadata"]["uid"], Memory())
        try:
            target = self._target(name, obj)
            seen = self._observe(target, memory)
            decision = decide(target.plan, seen.observed)
            self._apply(target, seen, decision, lifetime)
        except (InvalidExperiment, PlanRefused) as refused:
            self._stop_all(obj)
            return self._reporter.refuse(name, obj, refused)
        except JobError as error:
            return self._reporter.store_failed(name, obj, error)
        return self._reporter.report(target, seen, decision, memory)
