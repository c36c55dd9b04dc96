"""The controller's process: watches, leadership, workers, health. It ends when it is told to, or loses the lead."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from controller.errors import W2sError
from controller.kube.api import KubeApi
from controller.kube.errors import Conflict, LostLeadership, TooManyRequests
from controller.kube.lease import Election
from controller.kube.lease_record import Timing
from controller.kube.list_watch import Rhythm
from controller.kube.work_queue import WorkQueue
from controller.operator.cluster import Cluster, Name
from controller.operator.health import HealthServer
from controller.operator.listen import listen
from controller.operator.metrics import Metrics
from controller.operator.reconcile import Reconciler
from controller.operator.reporter import Reporter
from controller.operator.target import Installed
from controller.settings import Installation

__all__ = ["Operator", "Options"]

log = logging.getLogger(__name__)

_SYNC_SECONDS = 60.0
_SAY_SECONDS = 30.0
"""How often a process that cannot list what it watches says so: the kubelet keeps a probe's words to itself"""


@dataclass(frozen=True)
class Options:
    """How the process runs."""

    namespace: str = "w2s-system"
    """namespace of the Lease"""
    lease: str = "w2s-controller"
    workers: int = 8
    """passes at once"""
    health: tuple[str, int] = ("0.0.0.0", 8080)  # noqa: S104  probes and Prometheus come from outside the pod
    timing: Timing | None = None
    """timing of the Lease"""
    rhythm: Rhythm | None = None
    """how often what watches tell is made good by a list"""


class Operator:
    """One start of the controller."""

    def __init__(self, api: KubeApi, installation: Installation, metrics: Metrics, options: Options) -> None:
        identity = f"{os.environ.get('HOSTNAME') or socket.gethostname()}-{secrets.token_hex(4)}"
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._options = options
        self._metrics = metrics
        self._election = Election(
            api, options.namespace, options.lease, identity, timing=options.timing, on_lost=self._on_lost
        )
        self._cluster = Cluster.watch(
            api, api.fenced(self._election.fence), installation.namespaces, kueue=installation.kueue
        )
        reporter = Reporter(self._cluster, metrics)
        self._reconciler = Reconciler(self._cluster, Installed(installation), reporter)
        self._queue: WorkQueue[Name] = WorkQueue()
        metrics.watch(lambda: self._queue.depth, lambda: self.leading)
        metrics.watch_refusals(self._refusals)
        self._beats: dict[int, float] = {}
        """when each worker began its present pass"""

    @property
    def leading(self) -> bool:
        """Whether this process leads."""
        return self._election.leading.is_set()

    def stop(self) -> None:
        """Tell it to end: passes are finished, then the Lease is handed over. May be called from a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Run until `stop`, or until the lead is lost.

        Raises
        ------
        W2sError
            The lead was lost: whoever started this process starts it again.
        """
        listen(self._cluster, self._queue)
        with HealthServer(self._options.health, self._metrics.registry, self._alive, self._ready):
            for informer in self._cluster.informers:
                informer.start(self._options.rhythm)
            if self._wait_for_lists():
                self._lead()
            for informer in self._cluster.informers:
                informer.stop()
        if self._lost.is_set():
            raise W2sError("this process lost the lead and ends; the next one takes over")

    def _wait_for_lists(self) -> bool:
        """Wait until everything is listed, since who has not seen everything must not lead; False when told to end."""
        said = time.monotonic()
        while (missing := self._ready()) is not None:
            if self._stop.wait(0.2):
                return False
            if time.monotonic() - said >= _SAY_SECONDS:
                log.warning("not ready: %s", missing)
                said = time.monotonic()
        return True

    def _lead(self) -> None:
        """Stand for election, and work while this process leads, until it is told to end."""
        self._election.start()
        workers = self._start_workers()
        self._stop.wait()
        self._queue.shut_down()
        for worker in workers:
            worker.join()
        self._election.stop()

    def _start_workers(self) -> Sequence[threading.Thread]:
        workers = [
            threading.Thread(target=self._work, name=f"worker {number}", args=(number,))
            for number in range(self._options.workers)
        ]
        for worker in workers:
            worker.start()
        return workers

    def _work(self, number: int) -> None:
        """Take experiments off the queue, once this process leads."""
        while not self._election.leading.wait(0.2):
            if self._stop.is_set():
                return
        while not self._stop.is_set():
            name = self._queue.get(timeout=1.0)
            if name is not None:
                self._beats[number] = time.monotonic()
                try:
                    self._pass(name)
                finally:
                    self._beats.pop(number, None)
                    self._queue.done(name)

    def _pass(self, name: Name) -> None:
        """Do one pass; what fails comes again after a pause that grows."""
        about = {"experiment": name.name, "namespace": name.namespace}
        started = time.monotonic()
        outcome = "ok"
        try:
            due = self._reconciler.reconcile(name)
        except LostLeadership:
            outcome = "lost"
            self._on_lost()
        except Conflict:  # somebody was faster: look again at once
            outcome = "conflict"
            self._queue.retry(name)
        except W2sError as error:
            outcome = "error"
            wait = self._queue.retry(name, at_least=error.retry_after if isinstance(error, TooManyRequests) else 0.0)
            log.warning("%s; again in %.1f s", error, wait, extra=about)
        except Exception:  # a defect must not take the other experiments with it
            outcome = "defect"
            self._queue.retry(name)
            log.exception("a pass failed; this is a defect of w2s", extra=about)
        else:
            self._queue.forget(name)
            if due is not None:
                self._queue.add_after(name, max(due, 0.05))
        finally:
            self._metrics.passes.labels(outcome).observe(time.monotonic() - started)

    def _on_lost(self) -> None:
        if not self._stop.is_set():
            self._lost.set()
            self._stop.set()

    def _alive(self) -> str | None:
        """Say what is wrong when a pass hangs: requests have timeouts, so none takes minutes."""
        now = time.monotonic()
        hanging = [started for started in list(self._beats.values()) if now - started > 10 * _SYNC_SECONDS]
        return f"{len(hanging)} passes hang" if hanging else None

    def _ready(self) -> str | None:
        """Say what is missing and why: a process that waits for the lead is ready to take over."""
        unsynced = [one for one in self._cluster.informers if not one.synced.is_set()]
        if not unsynced:
            return None
        reasons = (f"{one.resource.plural}: {one.obstacle or 'no answer yet'}" for one in unsynced)
        return "; ".join(f"not listed yet: {reason}" for reason in reasons)

    def _refusals(self) -> Iterator[tuple[str, str]]:
        for informer in self._cluster.informers:
            for namespace in informer.refused:
                yield namespace, informer.resource.plural
