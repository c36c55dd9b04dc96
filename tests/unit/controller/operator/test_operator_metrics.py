"""What Prometheus reads."""

from __future__ import annotations

from prometheus_client import generate_latest

from controller.operator.metrics import Metrics


def read(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_steps_of_all_experiments_are_added_up_by_state_and_kind() -> None:
    metrics = Metrics()
    metrics.stand("a/one", {("waiting", "train"): 3})
    metrics.stand("a/two", {("waiting", "train"): 2, ("done", "sample"): 1})
    metrics.stand("a/one", {("waiting", "train"): 1, ("done", "train"): 2})
    assert read(metrics, "w2s_steps", state="waiting", kind="train") == 3
    metrics.stand("a/two", {})
    assert read(metrics, "w2s_steps", state="waiting", kind="train") == 1
    assert read(metrics, "w2s_steps", state="done", kind="sample") == 0


def test_finished_steps_are_told_from_those_that_were_there() -> None:
    metrics = Metrics()
    metrics.finish("train", 120.0)
    metrics.finish("train", 30.0)
    metrics.finish("train", None)
    assert read(metrics, "w2s_gpu_seconds_total", kind="train") == 150
    assert read(metrics, "w2s_steps_finished_total", kind="train") == 2
    assert read(metrics, "w2s_steps_reused_total", kind="train") == 1


def test_queue_and_leadership_are_as_they_are_when_somebody_reads_them() -> None:
    metrics, depth, leads = Metrics(), [4], [True]
    metrics.watch(lambda: depth[0], lambda: leads[0])
    assert read(metrics, "w2s_queue_depth") == 4
    assert read(metrics, "w2s_leader") == 1
    depth[0] = 0
    assert read(metrics, "w2s_queue_depth") == 0
    leads[0] = False
    assert read(metrics, "w2s_leader") == 0


def test_a_standby_has_no_queue_since_it_takes_nothing_off_it() -> None:
    metrics = Metrics()
    metrics.watch(lambda: 4000, lambda: False)
    assert read(metrics, "w2s_queue_depth") == 0


def test_requests_are_counted_by_verb_resource_and_code() -> None:
    metrics = Metrics()
    metrics.request("apply", "jobs", 200, 0.01)
    metrics.request("apply", "jobs", 0, 5.0)
    metrics.request("watch", "pods", 200, 300.0)
    assert read(metrics, "w2s_api_requests_total", verb="apply", resource="jobs", code="0") == 1
    assert read(metrics, "w2s_api_request_seconds_count", verb="apply", resource="jobs") == 2
    assert b'verb="watch"' not in b"".join(
        line for line in generate_latest(metrics.registry).splitlines() if b"seconds" in line
    ), "a watch lasts as long as it is allowed to"
