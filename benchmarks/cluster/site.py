"""Where a figure is measured: a control plane of its own, the controller beside it, experiments and their workers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cluster.follow import Progress, follow
from benchmarks.cluster.load import NAMESPACE, Load, Object
from benchmarks.cluster.machine import Usage, read_usage
from benchmarks.cluster.process import Controller, run_controller
from controller.kube.api import KubeApi
from controller.kube.connect import open_api
from controller.kube.resource import EXPERIMENTS, JOBS
from tests.support.assets import find_assets, missing_assets
from tests.support.control_plane import ControlPlane, start_control_plane
from tests.support.operator_process import ROOT, install
from tests.support.small_objects import NAMESPACES

__all__ = ["Site", "open_plane", "open_site"]

_CREATORS = 8
"""Threads that create experiments"""


@dataclass
class Site:
    """A running installation."""

    plane: ControlPlane
    controller: Controller
    load: Load
    progress: Progress
    api: KubeApi

    def create(self, manifests: Sequence[Object]) -> dict[str, float]:
        """Create experiments as fast as the API server takes them; return when each answer came."""
        with ThreadPoolExecutor(_CREATORS) as creators:
            return dict(creators.map(self.create_one, manifests))

    def create_one(self, manifest: Object) -> tuple[str, float]:
        """Create an experiment; return its name and when the answer came."""
        self.api.create(EXPERIMENTS, manifest)
        return manifest["metadata"]["name"], time.monotonic()

    def wait_until_done(self, seconds: float) -> None:
        """Wait until every experiment has succeeded."""
        everything = len(self.load.manifests)
        self.progress.wait("the end of all experiments", lambda: len(self.progress.succeeded) >= everything, seconds)

    def usage(self) -> Usage:
        """Return the CPU time of each program so far."""
        return read_usage({name: process.pid for name, process in self.plane.processes.items()})


@contextmanager
def open_plane(nodes: int) -> Iterator[ControlPlane]:
    """Start a control plane with simulated nodes, the CRD, RBAC and an empty namespace in it."""
    assets = find_assets(ROOT.parent / "shared")
    if reason := missing_assets(assets):
        raise SystemExit(f"{reason}; name the folder of the Kubernetes programs with W2S_CLUSTER_ASSETS")
    assert assets is not None
    with (
        tempfile.TemporaryDirectory(prefix="w2s-bench-") as folder,
        start_control_plane(Path(folder), assets, nodes) as plane,
    ):
        install(plane)
        open_api(plane.kubeconfig).create(NAMESPACES, {"metadata": {"name": NAMESPACE}})
        yield plane


@contextmanager
def open_site(plane: ControlPlane, load: Load, workers: int | None = None) -> Iterator[Site]:
    """Run the controller and the stand-in for workers on a control plane."""
    progress = Progress(load)
    follow(plane, JOBS, progress.job)
    follow(plane, EXPERIMENTS, progress.experiment)
    with run_controller(plane, load.store, workers) as controller:
        yield Site(plane, controller, load, progress, open_api(plane.kubeconfig))
