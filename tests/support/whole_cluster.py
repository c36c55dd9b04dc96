"""w2s on a cluster whose pods really run: installed by Helm as docs/install.md says, its store a real S3 server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.chart import CHART, NAMESPACE, RELEASE, ROOT, Helm
from tests.support.control_plane import ControlPlane
from tests.support.real_node import RealNode
from tests.support.s3_server import S3Server

__all__ = ["SECRET", "WORK", "WholeCluster"]

WORK = "research"
"""Namespace of the experiments"""
SECRET = "w2s-store"
_RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@dataclass(frozen=True)
class WholeCluster:
    """The cluster as its users see it."""

    plane: ControlPlane
    node: RealNode
    store: S3Server
    helm: Helm
    bucket: str = "experiments"

    @property
    def uri(self) -> str:
        """Where artifacts lie."""
        return f"s3://{self.bucket}/w2s"

    def install(self) -> None:
        """Install w2s, as docs/install.md tells it."""
        (self.store.folder / self.bucket).mkdir()
        self.plane.kubectl("apply", "-f", str(ROOT / "k8s" / "namespace.yaml"))
        self.add_namespace(WORK)
        for namespace in (NAMESPACE, WORK):
            self.add_secret(namespace)
        values = self.plane.folder / "values.yaml"
        values.write_text(yaml.safe_dump(self.values()))
        place = ("-n", NAMESPACE, "-f", str(values))
        self.helm("install", RELEASE, str(CHART), *place, "--wait", "--timeout=180s")

    def values(self) -> dict[str, Any]:
        """Values of the chart for a node of two cores and without a registry."""
        settings = {"uri": self.uri, "endpoint": self.store.endpoint, "region": "us-east-1"}
        return {
            "image": {"repository": "localhost/w2s-controller", "tag": "test", "pullPolicy": "Never"},
            "controller": {"credentials": {"secretName": SECRET}, "resources": {"requests": {"cpu": "50m"}}},
            "stores": [{"name": "main", "settings": settings, "credentials": {"secretName": SECRET}}],
            "defaultStore": "main",
            "workers": {
                "image": "localhost/w2s-worker:test",
                "imagePullPolicy": "Never",
                "memory": "1536Mi",
                "scratch": "4Gi",
                "sharedMemory": "256Mi",
                "graceSeconds": 20,
            },
            "workerNamespaces": [{"name": WORK}],
        }

    def add_namespace(self, name: str) -> None:
        """Make a namespace that takes restricted pods only."""
        self.plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": _RESTRICTED}})

    def add_secret(self, namespace: str) -> None:
        """Make the Secret with the store's credentials."""
        keys = {name: value for name, value in self.store.environment().items() if name.startswith("AWS_")}
        metadata = {"name": SECRET, "namespace": namespace}
        self.plane.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": keys})

    def kubectl(self, *arguments: str, namespace: str = WORK, **options: Any) -> str:
        """Run kubectl in the experiments' namespace."""
        return self.plane.kubectl("-n", namespace, *arguments, **options).stdout

    def apply(self, manifest: Path | dict[str, Any], namespace: str = WORK) -> None:
        """Apply an experiment."""
        if isinstance(manifest, Path):
            self.kubectl("apply", "-f", str(manifest), namespace=namespace)
        else:
            self.kubectl("apply", "-f", "-", stdin=json.dumps(manifest), namespace=namespace)

    def get(self, *what: str, namespace: str = WORK) -> Any:
        """Read an object, or a list of them."""
        return json.loads(self.kubectl("get", *what, "-o", "json", namespace=namespace))

    def wait_for_success(self, name: str, seconds: int = 1500, namespace: str = WORK) -> dict[str, Any]:
        """Wait until an experiment has ended, and return its status, which must be that of a success."""
        waited = ("wait", f"w2s/{name}", "--for=condition=Progressing=False", f"--timeout={seconds}s")
        self.kubectl(*waited, namespace=namespace)
        status: dict[str, Any] = self.get("w2s", name, namespace=namespace)["status"]
        succeeded = [one for one in status["conditions"] if one["type"] == "Succeeded" and one["status"] == "True"]
        assert succeeded, json.dumps(status, indent=1)
        return status

    def artifacts(self, kind: str = "*") -> dict[str, dict[str, Any]]:
        """Return the results in the store, by key."""
        found = (self.store.folder / self.bucket / "w2s").glob(f"{kind}/*/result.json")
        return {path.parent.name: json.loads(path.read_text()) for path in found}
