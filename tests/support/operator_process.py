"""The controller in a thread of the test, with the rights of its own service account."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from controller.errors import W2sError
from controller.kube.connect import open_api
from controller.kube.lease_record import Timing
from controller.kube.resource import EXPERIMENTS
from controller.operator.metrics import Metrics
from controller.operator.operator import Operator, Options
from controller.settings import Installation
from tests.support.control_plane import ControlPlane
from tests.support.definition import wait_until_served

__all__ = ["NAMESPACE", "ROOT", "install", "own_installation", "run_operator", "running"]

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "w2s-system"


def install(plane: ControlPlane) -> None:
    """Install namespace, RBAC and the CRD as an administrator does."""
    for file in ("namespace.yaml", "rbac.yaml", "crd.yaml"):
        plane.kubectl("apply", "--server-side", "-f", str(ROOT / "k8s" / file))
    wait_until_served(plane, EXPERIMENTS)


def own_installation(store: Path, namespace: str) -> Installation:
    """An installation with one store, that follows one namespace."""
    settings = [{"name": "main", "settings": {"uri": store.as_uri()}}]
    return Installation.model_validate({"stores": settings, "defaultStore": "main", "namespaces": [namespace]})


@contextmanager
def run_operator(plane: ControlPlane, installation: Installation, lease: str) -> Iterator[Operator]:
    """Run a controller until the block ends, with a Lease of its own."""
    metrics = Metrics()
    api = open_api(plane.kubeconfig_for(NAMESPACE, "w2s-controller"), observer=metrics.request)
    options = Options(namespace=NAMESPACE, lease=lease, health=("127.0.0.1", 0), timing=Timing())
    with running(Operator(api, installation, metrics, options)) as operator:
        yield operator


@contextmanager
def running(operator: Operator) -> Iterator[Operator]:
    """Run a controller until the block ends. One that lost the lead ends before, as its process would."""

    def run() -> None:
        try:
            operator.run()
        except W2sError as lost:
            log.warning("%s", lost)

    thread = threading.Thread(target=run, name="operator")
    thread.start()
    try:
        yield operator
    finally:
        operator.stop()
        thread.join(60)
        assert not thread.is_alive(), "the controller did not end in 60 s"
