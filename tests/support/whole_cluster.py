"""w2s on a cluster whose pods really run: installed by Helm as README says, its store a real S3 server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from controller.api.labels import KEY
from controller.api.parse import parse_object
from controller.plan.compile import compile_plan
from controller.plan.graph import Step
from tests.support.chart import ROOT, Helm
from tests.support.control_plane import ControlPlane
from tests.support.guide import commands
from tests.support.real_node import RealNode
from tests.support.s3_server import S3Server
from tests.support.tenant import Tenant

__all__ = [
    "INSTALLING",
    "OTHERS",
    "PASSING",
    "SECRET",
    "SECTION",
    "WORK",
    "WORKER",
    "WholeCluster",
    "container_of",
    "step_named",
]

WORK, OTHERS = "research", "rivals"
"""Namespaces of the experiments: two tenants"""
PASSING = "passing"
"""A third, whose namespace is deleted"""
SECRET = "w2s-store"
WORKER = "localhost/w2s-worker"
_MODELS = "models"
_RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"
SECTION, INSTALLING = "On a cluster", 6
"""Section of README whose commands the tests give, and how many of them install"""


def step_named(manifest: dict[str, Any], name: str) -> Step:
    """Return the step of this name that a manifest asks for."""
    plan = compile_plan(parse_object(manifest))
    return next(step for step in plan.steps if step.name == name)


def container_of(pod: dict[str, Any]) -> str:
    """Return which container runs in a pod."""
    (status,) = pod["status"]["containerStatuses"]
    return str(status["containerID"])


@dataclass(frozen=True)
class WholeCluster:
    """The cluster as its users see it."""

    plane: ControlPlane
    node: RealNode
    helm: Helm
    admin: S3Server
    """the S3 server with the controller's keys"""
    tenants: dict[str, Tenant]
    """tenants by namespace; the first one's store is the default"""
    handed_out: set[str] = field(default_factory=set)
    """each secret key that was ever given to somebody"""

    def install(self) -> None:
        """Install w2s by README's commands; the other tenants' namespaces and Secrets as there."""
        for name in (OTHERS, PASSING):
            self.plane.kubectl("create", "namespace", name)
            self.plane.apply(_secret(name, self.tenants[name].store))
            self.handed_out.add(self.tenants[name].store.secret_key)
        self._write_keys("controller", self.admin)
        self._write_keys(WORK, self.tenants[WORK].store)
        (self.place / "values.yaml").write_text(yaml.safe_dump(self.values()))
        for command in commands(SECTION)[:INSTALLING]:
            self.follow(command)
        for name in self.tenants:
            self.plane.kubectl("label", "namespace", name, _RESTRICTED)
            self.models_of(name).mkdir(parents=True)
            self.models_of(name).chmod(0o777)
            self.plane.apply(*_volume(name, self.models_of(name)))

    def give_keys(self, namespace: str, store: S3Server) -> None:
        """Exchange the keys of a tenant, in its Secret and in its file."""
        self.plane.apply(_secret(namespace, store))
        self._write_keys(namespace, store)
        self.tenants[namespace] = self.tenants[namespace].with_keys(store)

    def _write_keys(self, name: str, store: S3Server) -> None:
        lines = (f"{key}={value}\n" for key, value in _keys(store).items())
        (self.place / f"{name}.env").write_text("".join(lines))
        self.handed_out.add(store.secret_key)

    def models_of(self, namespace: str) -> Path:
        """Return the folder of this machine that holds a namespace's cache of models."""
        return self.plane.folder / "models" / namespace

    @property
    def place(self) -> Path:
        """The folder in which README's commands are given: it has what a clone has."""
        folder = self.plane.folder / "clone"
        if not folder.exists():
            folder.mkdir()
            for name in ("charts", "k8s"):
                (folder / name).symlink_to(ROOT / name)
        return folder

    def follow(self, command: str) -> str:
        """Give a command of README, and return what it prints."""
        tenant = self.tenants[WORK]
        programs = f"{self.plane.assets}:{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
        there = self.helm.environment() | {"PATH": programs, "AWS_ENDPOINT_URL": tenant.store.endpoint}
        whole = ["bash", "-euo", "pipefail", "-c", command.replace("s3://…", tenant.uri)]
        done = subprocess.run(
            whole, cwd=self.place, env=os.environ | there, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def values(self) -> dict[str, Any]:
        """Values of the chart for a node of two cores and without a registry: docs/install.md, for two teams."""
        return {
            "image": {"repository": "localhost/w2s-controller", "tag": "test", "pullPolicy": "Never"},
            "controller": {"credentials": {"secretName": SECRET}},
            "stores": [self._store(tenant) for tenant in self.tenants.values()],
            "defaultStore": WORK,
            "workers": {
                "image": {"repository": WORKER, "tag": "test"},
                "imagePullPolicy": "Never",
                "scratch": "4Gi",
                "sharedMemory": "256Mi",
                "graceSeconds": 20,
                "modelCache": {"persistentVolumeClaim": {"claimName": _MODELS}},
                "modelCacheSize": "2Gi",
            },
            "workerNamespaces": [{"name": name} for name in self.tenants],
        }

    def _store(self, tenant: Tenant) -> dict[str, Any]:
        return {
            "name": tenant.namespace,
            "settings": {"uri": tenant.uri, "endpoint": tenant.store.endpoint, "region": "us-east-1"},
            "credentials": {"secretName": SECRET},
            "namespaces": [tenant.namespace],
        }

    def delete_experiments(self) -> None:
        """Delete what runs; what it made stays in the store."""
        for name in self.tenants:
            self.kubectl("delete", "w2s", "--all", namespace=name, check=False)

    def kubectl(self, *arguments: str, namespace: str = WORK, **options: Any) -> str:
        """Run kubectl in a namespace."""
        return self.plane.kubectl("-n", namespace, *arguments, **options).stdout

    def apply(self, manifest: dict[str, Any], namespace: str = WORK) -> None:
        """Apply an experiment, or another object."""
        self.kubectl("apply", "-f", "-", stdin=json.dumps(manifest), namespace=namespace)

    def get(self, *what: str, namespace: str = WORK) -> Any:
        """Read an object, or a list of them."""
        return json.loads(self.kubectl("get", *what, "-o", "json", namespace=namespace))

    def begin(self, manifest: dict[str, Any], training: Step, namespace: str = WORK) -> None:
        """Apply an experiment and wait until a training of it is on its way."""
        tenant = self.tenants[namespace]
        self.apply(manifest, namespace)
        self.wait_for("a part of the training", lambda: tenant.progress(training) > 20, namespace=namespace)

    def status(self, name: str, namespace: str = WORK) -> dict[str, Any]:
        """Return the status of an experiment; empty where nothing was said of it yet."""
        found: dict[str, Any] = self.get("w2s", name, namespace=namespace).get("status", {})
        return found

    def condition(self, name: str, kind: str, namespace: str = WORK) -> tuple[str, str]:
        """Return status and reason of a condition of an experiment."""
        conditions = self.status(name, namespace).get("conditions", [])
        return next(((one["status"], one["reason"]) for one in conditions if one["type"] == kind), ("", ""))

    def wait_for_success(self, name: str, seconds: int = 1500, namespace: str = WORK) -> dict[str, Any]:
        """Wait until an experiment has ended, and return its status, which must be that of a success."""
        waited = ("wait", f"w2s/{name}", "--for=condition=Progressing=False", f"--timeout={seconds}s")
        self.kubectl(*waited, namespace=namespace)
        status = self.status(name, namespace)
        succeeded, _ = self.condition(name, "Succeeded", namespace)
        assert succeeded == "True", f"{json.dumps(status, indent=1)}\n{self.story(namespace)}"
        return status

    def wait_for(self, what: str, is_there: Callable[[], bool], seconds: int = 900, namespace: str = WORK) -> None:
        """Wait until something is there, and tell what the pods said when it does not come."""
        try:
            self.plane.wait_for(what, is_there, tries=10 * seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.story(namespace)}") from None

    def result_of(self, step: Step, namespace: str = WORK, seconds: int = 900) -> dict[str, Any]:
        """Wait for the result of a step."""
        tenant = self.tenants[namespace]
        self.wait_for(f"the result of {step.name}", lambda: tenant.result(step) is not None, seconds, namespace)
        result = tenant.result(step)
        assert result is not None
        return result

    def wait_for_job(self, step: Step, seconds: int = 120) -> None:
        """Wait until the Job of a step is complete: all of its pods have ended, and left their logs."""
        name = f"{KEY}={step.key[:63]}"
        self.kubectl("wait", "job", "-l", name, "--for=condition=Complete", f"--timeout={seconds}s")

    def pods_of(self, step: Step, namespace: str = WORK) -> list[dict[str, Any]]:
        """Return the pods of a step that have not ended."""
        pods = self.get("pods", "-l", f"{KEY}={step.key[:63]}", namespace=namespace)["items"]
        return [pod for pod in pods if pod["status"]["phase"] in ("Pending", "Running")]

    def charged(self, step: Step) -> int:
        """Return how many failed pods of a step were charged to it; it has one Job."""
        jobs = self.get("jobs", "-l", f"{KEY}={step.key[:63]}")["items"]
        assert len(jobs) == 1, f"{step.name} has {len(jobs)} Jobs"
        return int(jobs[0]["status"].get("failed", 0))

    def assert_one_job_a_step(self) -> None:
        """Check that no step was given two Jobs."""
        keys = [job["metadata"]["annotations"][KEY] for job in self.get("jobs")["items"]]
        assert len(keys) == len(set(keys))

    def kill(self, pod: dict[str, Any]) -> bool:
        """Kill a pod's container at once, without a word; False where it does not run."""
        status = self.get("pod", pod["metadata"]["name"], namespace=pod["metadata"]["namespace"])["status"]
        return self.node.kill(status["containerStatuses"][0].get("containerID", ""))

    def story(self, namespace: str = WORK) -> str:
        """Tell what a person would look at: pods, events, and the last words of those that did not end well."""
        told = [self.kubectl("get", "w2s,jobs,pods", "-o", "wide", namespace=namespace)]
        told.append(self.kubectl("get", "events", "--sort-by=.lastTimestamp", namespace=namespace)[-4000:])
        for pod in self.get("pods", namespace=namespace)["items"]:
            if pod["status"]["phase"] != "Succeeded":
                name = pod["metadata"]["name"]
                told.append(f"== {name}\n{self.kubectl('logs', name, '--tail=40', namespace=namespace, check=False)}")
        return "\n".join(told)


def _keys(store: S3Server) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": store.access_key, "AWS_SECRET_ACCESS_KEY": store.secret_key}


def _secret(namespace: str, store: S3Server) -> dict[str, object]:
    metadata = {"name": SECRET, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": _keys(store)}


def _volume(namespace: str, folder: Path) -> tuple[dict[str, object], dict[str, object]]:
    shared: dict[str, object] = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    name, claim, size = f"{_MODELS}-{namespace}", {"name": _MODELS, "namespace": namespace}, {"storage": "10Gi"}
    volume = {**shared, "capacity": size, "claimRef": claim, "hostPath": {"path": str(folder)}}
    claimed = {**shared, "volumeName": name, "resources": {"requests": size}}
    return (
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": volume},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": claim, "spec": claimed},
    )
