"""An experiment of which five Jobs are left to do, in a namespace and with a store of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from controller.api.parse import parse_manifest
from controller.kube.api import KubeApi, Object
from controller.kube.errors import NotFound
from controller.kube.resource import EVENTS, EXPERIMENTS, JOBS, PODS
from controller.plan.compile import compile_plan
from controller.settings import Installation
from tests.support.operator_process import ROOT, own_installation, own_lease
from tests.support.small_objects import NAMESPACES, make_namespace
from tests.support.stand_in import StandIn

__all__ = ["STEPS", "SmallRun", "small_run"]

STEPS = 5
"""Steps that are left to do"""
_NAME = "small"
_MANIFEST = yaml.safe_load((ROOT / "tests" / "e2e" / "tiny.yaml").read_text())
_MANIFEST["metadata"] = {"name": _NAME}
_OURS = "app.kubernetes.io/managed-by=w2s"


@dataclass
class SmallRun:
    """Where the experiment runs, as an administrator sees it."""

    api: KubeApi
    namespace: str
    lease: str
    """namespace of its controllers' Lease"""
    installation: Installation
    """with its store, and followed in its namespace only"""
    stand_in: StandIn

    def submit(self, duration: str = "0s") -> None:
        """Create the experiment; its pods run on simulated nodes for `duration`."""
        pod = {"tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}]}
        template = {"metadata": {"annotations": {"w2s.test/duration": duration}}, "spec": pod}
        metadata = {"name": _NAME, "namespace": self.namespace}
        self.api.create(
            EXPERIMENTS, {**_MANIFEST, "metadata": metadata, "spec": {**_MANIFEST["spec"], "podTemplate": template}}
        )

    def delete(self) -> None:
        """Delete the experiment."""
        self.api.delete(EXPERIMENTS, _NAME, self.namespace)

    def delete_namespace(self) -> None:
        """Delete the namespace with all that is in it."""
        self.api.delete(NAMESPACES, self.namespace)

    def is_empty(self, what: str) -> bool:
        """Tell whether no object of it is left, and where `what` is `namespace`, no namespace."""
        if what == "namespace":
            return self.namespace not in {one["metadata"]["name"] for one in self.api.list(NAMESPACES)[0]}
        return not (self.jobs() or self.pods() or self.api.list(EXPERIMENTS, self.namespace)[0])

    def status(self) -> Object:
        """Return the status; empty where none is written, or there is no experiment."""
        try:
            found: Object = self.api.get(EXPERIMENTS, _NAME, self.namespace).get("status") or {}
        except NotFound:
            return {}
        return found

    @property
    def succeeded(self) -> bool:
        """Whether it has come to its end."""
        conditions = self.status().get("conditions", ())
        return any(one["type"] == "Succeeded" and one["status"] == "True" for one in conditions)

    def jobs(self) -> list[Object]:
        """Return its Jobs."""
        return self.api.list(JOBS, self.namespace, _OURS)[0]

    def pods(self) -> list[Object]:
        """Return its pods."""
        return self.api.list(PODS, self.namespace, _OURS)[0]

    def outcome(self) -> dict[str, Any]:
        """Return all that is to be the same however it came about."""
        status = self.status()
        status["conditions"] = [{**one, "lastTransitionTime": ""} for one in status["conditions"]]
        told = [
            one["reason"] for one in self.api.list(EVENTS, self.namespace)[0] if one["involvedObject"]["name"] == _NAME
        ]
        found = {
            "status": {**status, "started": "", "finished": "", "writes": 0},
            # A Job's name ends with its store's, and each run has a store of its own.
            "jobs": sorted(job["metadata"]["name"].rpartition("-")[0] for job in self.jobs()),
            "Jobs of each step": {key: len(set(uids)) for key, uids in self.stand_in.seen.items()},
            "events": sorted(reason for reason in told if reason in ("Started", "Succeeded")),
        }
        everywhere: dict[str, Any] = json.loads(json.dumps(found).replace(self.namespace, "NAMESPACE"))
        return everywhere


@contextmanager
def small_run(api: KubeApi, folder: Path, prefix: str) -> Iterator[SmallRun]:
    """Make a namespace and a store that has what all but the last steps made; workers stand ready."""
    namespace = make_namespace(api, prefix)
    store = folder / namespace
    with StandIn(api, store, folder / f"{namespace}-scratch", namespace) as stand_in:
        for step in compile_plan(parse_manifest(json.dumps(_MANIFEST), "tiny.yaml")).steps[:-STEPS]:
            stand_in.write(step.kind, step.key)
        yield SmallRun(api, namespace, own_lease(api, prefix), own_installation(store, namespace), stand_in)
