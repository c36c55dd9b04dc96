"""The controller in a thread of the test, with the rights of its own service account."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from controller.errors import W2sError
from controller.kube.api import KubeApi
from controller.kube.connect import open_api
from controller.kube.lease_record import Timing
from controller.kube.resource import EXPERIMENTS, Resource
from controller.operator.metrics import Metrics
from controller.operator.operator import Operator, Options
from controller.settings import Installation
from tests.support.control_plane import ControlPlane
from tests.support.definition import wait_until_served
from tests.support.small_objects import make_namespace

__all__ = ["NAMESPACE", "ROOT", "install", "own_installation", "own_lease", "run_operator", "running"]

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "w2s-system"
_ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
_ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")


def install(plane: ControlPlane) -> None:
    """Install namespace, RBAC and the CRD as an administrator does."""
    for file in ("namespace.yaml", "rbac.yaml", "crd.yaml"):
        plane.kubectl("apply", "--server-side", "-f", str(ROOT / "k8s" / file))
    wait_until_served(plane, EXPERIMENTS)


def own_installation(store: Path, namespace: str) -> Installation:
    """An installation with one store, that follows one namespace."""
    settings = [{"name": "main", "settings": {"uri": store.as_uri()}}]
    return Installation.model_validate({"stores": settings, "defaultStore": "main", "namespaces": [namespace]})


def own_lease(api: KubeApi, prefix: str) -> str:
    """Make a namespace for the Lease of one test's controllers, with the same rights there as in their own namespace.

    Its name is the same in each, and controllers that follow different namespaces must not wait for each other.
    """
    namespace = make_namespace(api, f"{prefix}-lease")
    for resource in (_ROLES, _ROLE_BINDINGS):
        granted = api.get(resource, "w2s-controller-lease", NAMESPACE)
        rights = {part: granted[part] for part in ("rules", "roleRef", "subjects") if part in granted}
        api.create(resource, {"metadata": {"name": granted["metadata"]["name"], "namespace": namespace}, **rights})
    return namespace


@contextmanager
def run_operator(plane: ControlPlane, installation: Installation, lease: str) -> Iterator[Operator]:
    """Run a controller until the block ends, with its Lease in the namespace `lease`."""
    metrics = Metrics()
    api = open_api(plane.kubeconfig_for(NAMESPACE, "w2s-controller"), observer=metrics.request)
    options = Options(lease, health=("127.0.0.1", 0), timing=Timing())
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
