"""Prometheus metrics of the controller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

__all__ = ["Metrics"]

Tally = Mapping[tuple[str, str], int]
"""Steps by state and kind"""

_PASS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """All of them, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self._queue_depth = Gauge(
            "w2s_queue_depth", "Experiments that wait for a pass; 0 unless this process leads", registry=registry
        )
        self.passes = Histogram(
            "w2s_reconcile_seconds",
            "Seconds of one pass over one experiment",
            ["outcome"],
            buckets=_PASS_BUCKETS,
            registry=registry,
        )
        self.requests = Counter(
            "w2s_api_requests", "Requests to the API server", ["verb", "resource", "code"], registry=registry
        )
        self.request_seconds = Histogram(
            "w2s_api_request_seconds", "Seconds of a request to the API server", ["verb", "resource"], registry=registry
        )
        self.steps = Gauge(
            "w2s_steps", "Steps of all experiments by state and kind", ["state", "kind"], registry=registry
        )
        self.started = Counter("w2s_steps_started", "Jobs created, by kind of step", ["kind"], registry=registry)
        self.finished = Counter(
            "w2s_steps_finished", "Steps whose Job gave a result, by kind", ["kind"], registry=registry
        )
        self.reused = Counter(
            "w2s_steps_reused", "Steps whose artifact was there before (cache hits)", ["kind"], registry=registry
        )
        self.store_failures = Counter(
            "w2s_store_failures", "Passes that ended because a store could not be asked", ["store"], registry=registry
        )
        self.gpu_seconds = Counter(
            "w2s_gpu_seconds", "GPU-seconds of finished steps, by kind", ["kind"], registry=registry
        )
        self._leader = Gauge("w2s_leader", "1 while this process leads", registry=registry)
        self._tallies: dict[str, Tally] = {}

    def watch(self, queue_depth: Callable[[], int], leading: Callable[[], bool]) -> None:
        """Ask for these whenever somebody reads the metrics. A standby's queue holds all that the leader works on."""
        self._queue_depth.set_function(lambda: queue_depth() if leading() else 0)
        self._leader.set_function(leading)

    def watch_refusals(self, refused: Callable[[], Iterable[tuple[str, str]]]) -> None:
        """Ask for (namespace, resource) of what may not be listed or watched whenever somebody reads the metrics."""
        self.registry.register(_Refused(refused))

    def request(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """Note a request (the observer of a KubeApi)."""
        self.requests.labels(verb, resource, str(code)).inc()
        if verb != "watch":
            self.request_seconds.labels(verb, resource).observe(seconds)

    def finish(self, kind: str, gpu_seconds: float | None) -> None:
        """Note a step that is done: what it took, or None where it was there already."""
        if gpu_seconds is None:
            self.reused.labels(kind).inc()
        else:
            self.finished.labels(kind).inc()
            self.gpu_seconds.labels(kind).inc(gpu_seconds)

    def stand(self, experiment: str, tally: Tally) -> None:
        """Note how many steps of an experiment there are by state and kind; none when it is gone."""
        before = self._tallies.pop(experiment, {})
        if tally:
            self._tallies[experiment] = tally
        for place in before.keys() | tally.keys():
            change = tally.get(place, 0) - before.get(place, 0)
            if change:
                self.steps.labels(*place).inc(change)


class _Refused(Collector):
    """A series for each refusal, and none where nothing is refused."""

    def __init__(self, refused: Callable[[], Iterable[tuple[str, str]]]) -> None:
        self._refused = refused

    def collect(self) -> Iterator[GaugeMetricFamily]:
        words = "1 for what this process may not list or watch in a namespace, which it passes over if it never could"
        # `namespace` would be the one of the controller's own pod.
        family = GaugeMetricFamily("w2s_namespace_refused", words, labels=["watched_namespace", "resource"])
        for namespace, resource in self._refused():
            family.add_metric([namespace, resource], 1)
        yield family
