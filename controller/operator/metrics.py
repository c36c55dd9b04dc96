"""Prometheus metrics of the controller."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

__all__ = ["Metrics"]

_PASS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """All of them, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = {"registry": self.registry, "namespace": "w2s"}
        self.queue_depth = Gauge("queue_depth", "Experiments that wait for a pass", **own)
        self.passes = Histogram(
            "reconcile_seconds", "Seconds of one pass over one experiment", ["outcome"], buckets=_PASS_BUCKETS, **own
        )
        self.requests = Counter("api_requests", "Requests to the API server", ["verb", "resource", "code"], **own)
        self.request_seconds = Histogram(
            "api_request_seconds", "Seconds of a request to the API server", ["verb", "resource"], **own
        )
        self.steps = Gauge("steps", "Steps of all experiments by state", ["state"], **own)
        self.started = Counter("steps_started", "Jobs created, by kind of step", ["kind"], **own)
        self.reused = Counter("steps_reused", "Steps whose artifact was there before (cache hits)", ["kind"], **own)
        self.gpu_seconds = Counter("gpu_seconds", "GPU-seconds of finished steps, by kind", ["kind"], **own)
        self.leader = Gauge("leader", "1 while this process leads", **own)
        self.experiments = Gauge("experiments", "Experiments by condition", ["condition"], **own)
        self._counts: dict[str, Mapping[str, int]] = {}

    def request(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """Note a request (the observer of a KubeApi)."""
        self.requests.labels(verb, resource, str(code)).inc()
        if verb != "watch":
            self.request_seconds.labels(verb, resource).observe(seconds)

    def stand(self, experiment: str, counts: Mapping[str, int] | None) -> None:
        """Note how many steps of an experiment are in which state; None when it is gone."""
        before = self._counts.pop(experiment, {})
        now = counts or {}
        if counts is not None:
            self._counts[experiment] = counts
        for state in before.keys() | now.keys():
            change = now.get(state, 0) - before.get(state, 0)
            if change:
                self.steps.labels(state).inc(change)
