"""Where Jobs of steps meet the real API server, Job controller and scheduler, without a controller of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from controller.kube.api import KubeApi, Object
from controller.kube.connect import open_api
from controller.kube.resource import EVENTS, EXPERIMENTS, JOBS, PODS
from controller.plan.graph import Resources
from controller.plan.jobs import Operations, Owner, build_job, field_manager, job_name
from tests.support.control_plane import ControlPlane
from tests.support.definition import install_definition
from tests.support.job_cases import MANIFEST, STORE, a_context, a_step
from tests.support.small_objects import own_namespace

__all__ = ["ONE_GPU", "JobGround", "a_node", "open_job_ground"]

ONE_GPU = Resources(threads=1, gpus=1, pool="h100")


@dataclass(frozen=True)
class JobGround:
    """A namespace of restricted pod security, in which experiments own Jobs and no controller runs."""

    plane: ControlPlane
    api: KubeApi
    """as the administrator"""
    namespace: str

    def kubectl(self, *arguments: str, **options: Any) -> str:
        return self.plane.kubectl("-n", self.namespace, *arguments, **options).stdout

    def job(self, name: str) -> Object:
        return self.api.get(JOBS, name, self.namespace)

    def own(self, name: str) -> Owner:
        """Create an experiment and return it as an owner."""
        manifest = yaml.safe_load(MANIFEST.read_text())
        manifest["metadata"] = {"name": name, "namespace": self.namespace}
        self.plane.apply(manifest)
        return Owner(name, self.api.get(EXPERIMENTS, name, self.namespace)["metadata"]["uid"], self.namespace)

    def apply(self, owner: Owner, body: Object) -> None:
        self.kubectl(
            *("apply", "--server-side", "--field-manager", field_manager(owner), "-f", "-"), stdin=json.dumps(body)
        )

    def start(self, owner: Owner, name: str, annotations: dict[str, str], shards: int = 1, limit: int = 3) -> str:
        """Create the Job of a sampling whose simulated pods do as their annotations say, and return its name."""
        overlay = {"metadata": {"annotations": {f"w2s.test/{key}": value for key, value in annotations.items()}}}
        context = a_context(Operations(pod_template=overlay), owner, backoff_limit=limit)
        step = a_step("sample", name=name, resources=ONE_GPU, shards=shards)
        self.apply(owner, build_job(step, context))
        return job_name(step, STORE)

    def pods(self, job: str) -> list[Object]:
        return self.api.list(PODS, self.namespace, f"job-name={job}")[0]

    def warnings(self, job: str) -> list[str]:
        """What the cluster complained of about a Job."""
        told = [one for one in self.api.list(EVENTS, self.namespace)[0] if one["involvedObject"]["name"] == job]
        return [one["message"] for one in told if one["type"] == "Warning"]

    def running(self, job: str, count: int = 1) -> list[str]:
        """Wait until `count` pods run and return their names."""
        names: list[str] = []

        def run() -> bool:
            names[:] = [
                pod["metadata"]["name"]
                for pod in self.pods(job)
                if pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
            ]
            return len(names) == count

        self.plane.wait_for(f"{count} running pods of {job}", run)
        return names

    def status(self, job: str) -> Object:
        return dict(self.job(job)["status"])

    def ended(self, job: str, condition: str) -> Object:
        """Wait until a Job has a condition and return the condition."""

        found: list[Object] = []

        def there() -> bool:
            found[:] = [one for one in self.status(job).get("conditions", []) if one["type"] == condition]
            return bool(found)

        self.plane.wait_for(f"{condition} of {job}", there)
        return found[0]


@contextmanager
def open_job_ground(plane: ControlPlane) -> Iterator[JobGround]:
    """Make a namespace with all that the golden Jobs name, and a node for all; they go with the block."""
    install_definition(plane)
    api = open_api(plane.kubeconfig)
    with own_namespace(api, "jobs", {"pod-security.kubernetes.io/enforce": "restricted"}) as namespace:
        plane.apply(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "w2s-workers", "namespace": namespace}},
            {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "batch"}, "value": 5},
            {
                "apiVersion": "node.k8s.io/v1",
                "kind": "RuntimeClass",
                "metadata": {"name": "nvidia"},
                "handler": "nvidia",
            },
            a_node("cpu-only", {"w2s.test/cpu": "yes"}),
        )
        plane.wait_for_service_account(namespace)
        yield JobGround(plane, api, namespace)
        # It has no taint: others' pods must not run there.
        plane.kubectl("delete", "node", "cpu-only")


def a_node(name: str, labels: dict[str, str]) -> dict[str, object]:
    size = {"cpu": "64", "memory": "500Gi", "pods": "100", "ephemeral-storage": "1000Gi", "nvidia.com/gpu": "2"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"type": "kwok", **labels},
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "status": {"allocatable": size, "capacity": size},
    }
