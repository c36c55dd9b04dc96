"""The room that there is: Jobs of one pod created by a script that does nothing else, until all are complete."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.cluster.follow import follow, name_of_job
from benchmarks.cluster.load import NAMESPACE, Object
from benchmarks.cluster.machine import Usage, read_usage
from benchmarks.cluster.site import open_plane
from controller.kube.connect import open_api
from controller.kube.resource import JOBS

__all__ = ["Bare", "run_bare"]

_THREADS = 8
_NODES = 10
_COMPLETE = b'"type":"Complete","status":"True"'


@dataclass(frozen=True)
class Bare:
    """What Jobs without a controller take."""

    jobs: int
    seconds: float
    """until the last Job was seen to be complete"""
    jobs_a_second: float
    """Jobs created a second"""
    usage: Usage
    """CPU time meanwhile"""


def run_bare(jobs: int, seconds: float = 300) -> Bare:
    """Create Jobs on a control plane of its own and wait for their end."""
    with open_plane(_NODES) as plane:
        done: set[str] = set()
        all_done = threading.Event()

        def take(line: bytes) -> None:
            if _COMPLETE in line and (name := name_of_job(line)):
                done.add(name)
                if len(done) == jobs:
                    all_done.set()

        follow(plane, JOBS, take)
        api = open_api(plane.kubeconfig)
        pids = {name: process.pid for name, process in plane.processes.items()}
        before = read_usage(pids)
        began = time.monotonic()
        with ThreadPoolExecutor(_THREADS) as creators:
            list(creators.map(lambda number: api.create(JOBS, _job(number)), range(jobs)))
        created = time.monotonic() - began
        if not all_done.wait(seconds):
            raise TimeoutError(f"{len(done)} of {jobs} Jobs complete in {seconds:g} s")
        return Bare(jobs, time.monotonic() - began, jobs / created, read_usage(pids) - before)


def _job(number: int) -> Object:
    container = {"name": "worker", "image": "worker", "resources": {"requests": {"cpu": "1"}}}
    pod = {
        "restartPolicy": "Never",
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
        "containers": [container],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"w2s-bare-{number:016x}", "namespace": NAMESPACE},
        "spec": {"template": {"spec": pod}},
    }
