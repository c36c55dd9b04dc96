"""A namespace, a store and workers of a test's own, where experiments are applied as a person applies them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from controller.api.labels import MANAGED_BY, MANAGER
from controller.kube.api import KubeApi, Object
from controller.kube.connect import open_api
from controller.kube.resource import EVENTS, EXPERIMENTS, JOBS, PODS
from controller.operator.operator import Operator
from controller.settings import Installation
from tests.support.control_plane import ControlPlane
from tests.support.operator_process import own_installation, own_lease, run_operator
from tests.support.small_objects import own_namespace
from tests.support.stand_in import StandIn

__all__ = ["Workplace", "manifest", "open_workplace"]

_OURS = f"{MANAGED_BY}={MANAGER}"


@dataclass(frozen=True)
class Workplace:
    """What is applied here is seen here only: by its controller, and by the workers' stand-in."""

    plane: ControlPlane
    api: KubeApi
    """as the administrator"""
    namespace: str
    lease: str
    """namespace of its controller's Lease"""
    installation: Installation
    """with its store, and followed in its namespace only"""
    stand_in: StandIn

    def operator(self) -> AbstractContextManager[Operator]:
        """Run a controller for this namespace until the block ends."""
        return run_operator(self.plane, self.installation, self.lease)

    def kubectl(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the administrator, in this namespace."""
        return self.plane.kubectl("-n", self.namespace, *arguments, **options)

    def apply(self, *manifests: Object) -> None:
        """Apply experiments as a person does."""
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))

    def patch(self, name: str, spec: Object) -> None:
        """Edit an experiment."""
        self.kubectl("patch", "w2s", name, "--type=merge", "-p", json.dumps({"spec": spec}))

    def wait_for(self, name: str, condition: str, seconds: int = 150) -> None:
        """Wait until an experiment has a condition."""
        self.kubectl("wait", f"w2s/{name}", f"--for=condition={condition}", f"--timeout={seconds}s")

    def wait_until(self, what: str, is_so: Callable[[], bool]) -> None:
        """Ask until it is so."""
        self.plane.wait_for(what, is_so)

    def status(self, name: str) -> Object:
        """Return an experiment's status; empty where none is written."""
        found: Object = self.api.get(EXPERIMENTS, name, self.namespace).get("status") or {}
        return found

    def condition(self, name: str, kind: str) -> Object:
        """Return one condition of an experiment."""
        (one,) = [one for one in self.status(name)["conditions"] if one["type"] == kind]
        return dict(one)

    def events(self, name: str) -> list[str]:
        """Return the reasons of an experiment's events, in the order in which they were written."""
        told = [one for one in self.api.list(EVENTS, self.namespace)[0] if one["involvedObject"]["name"] == name]
        return [one["reason"] for one in sorted(told, key=lambda one: int(one["metadata"]["resourceVersion"]))]

    def jobs(self) -> list[Object]:
        """Return the steps' Jobs."""
        return self.api.list(JOBS, self.namespace, _OURS)[0]

    def pods(self) -> list[Object]:
        """Return the steps' pods."""
        return self.api.list(PODS, self.namespace, _OURS)[0]

    def owners(self) -> list[set[str]]:
        """Return the names of each Job's experiments."""
        return [{owner["name"] for owner in job["metadata"].get("ownerReferences", ())} for job in self.jobs()]

    def end_pods(self) -> None:
        """Let the pod of every Job end well now, whatever its duration."""

        def run() -> bool:
            return [pod["status"].get("phase") for pod in self.pods()] == ["Running"] * len(self.jobs())

        self.wait_until("the pods of all Jobs", run)
        ended = json.dumps({"status": {"phase": "Succeeded"}})
        for pod in self.pods():
            self.kubectl("patch", "pod", pod["metadata"]["name"], "--subresource=status", "-p", ended)

    def remove(self, *names: str) -> None:
        """Delete experiments, and see that nothing of them stays.

        The garbage collector looks for new kinds of owners only every 30 seconds.
        """
        self.kubectl("delete", "w2s", *names)
        self.wait_until_empty()

    def wait_until_empty(self) -> None:
        """Wait until no Job and no pod is left."""
        self.wait_until("the end of all Jobs and pods", lambda: not (self.jobs() or self.pods()))


def manifest(name: str, source: str, duration: str = "200ms", **spec: Any) -> dict[str, Any]:
    """Build an experiment whose pods run on simulated nodes for `duration`."""
    read: dict[str, Any] = yaml.safe_load(source)
    read["metadata"] = {"name": name}
    # No simulated node is without a taint; people who taint theirs write the same.
    pod = {"tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}]}
    shown = {"metadata": {"annotations": {"w2s.test/duration": duration}}, "spec": pod}
    read["spec"] |= {"podTemplate": shown, **spec}
    return read


@contextmanager
def open_workplace(plane: ControlPlane, folder: Path, prefix: str) -> Iterator[Workplace]:
    """Make a namespace and an empty store; workers stand ready. Both go with the block, and what is in them."""
    api = open_api(plane.kubeconfig)
    with own_namespace(api, prefix) as namespace:
        store = folder / namespace
        with StandIn(api, store, folder / f"{namespace}-scratch", namespace) as stand_in:
            installation = own_installation(store, namespace)
            yield Workplace(plane, api, namespace, own_lease(api, prefix), installation, stand_in)
