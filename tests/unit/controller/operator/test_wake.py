"""Which changes of pods matter, and which are acted on at once."""

from __future__ import annotations

from controller.operator.wake import pod_succeeded
from tests.support.kube_objects import a_job, a_pod

JOB = a_job("1" * 64)


def test_a_pod_has_succeeded_once() -> None:
    running, ended = a_pod(JOB), a_pod(JOB, "Succeeded")
    assert pod_succeeded(running, ended)
    assert pod_succeeded(None, ended), "the first that is heard of it"
    assert not pod_succeeded(ended, ended)
    assert not pod_succeeded(ended, None)
    assert not pod_succeeded(running, a_pod(JOB, "Failed", 1))
