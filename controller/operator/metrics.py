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
        registry = self.registry
        self.queue_depth = Gauge("w2s_queue_depth", "Experiments that wait for a pass", registry=registry)
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
        self.steps = Gauge("w2s_steps", "Steps of all experiments by state", ["state"], registry=registry)
        self.started = Counter("w2s_steps_started", "Jobs created, by kind of step", ["kind"], registry=registry)
        self.reused = Counter(
            "w2s_steps_reused", "Steps whose artifact was there before (cache hits)", ["kind"], registry=registry
        )
        self.gpu_seconds = Counter(
            "w2s_gpu_seconds", "GPU-seconds of finished steps, by kind", ["kind"], registry=registry
        )
        self.leader = Gauge("w2s_leader", "1 while this process leads", registry=registry)
        self.experiments = Gauge("w2s_experiments", "Experiments by condition", ["condition"], registry=registry)
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
