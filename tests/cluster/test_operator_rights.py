"""What a controller does that may not see everything it is told to follow."""

from __future__ import annotations

import logging
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from controller.kube.backoff import Backoff
from controller.kube.connect import open_api
from controller.kube.lease_record import Timing
from controller.kube.list_watch import Rhythm
from controller.operator import operator as process
from controller.operator.metrics import Metrics
from controller.operator.operator import Operator, Options
from tests.support.control_plane import ControlPlane, free_port
from tests.support.operator_process import running
from tests.support.small_objects import make_namespace
from tests.support.small_run import SmallRun, small_run

QUICK = Rhythm(backoff=Backoff(first=0.05, cap=0.5))


@pytest.fixture
def run(cluster: ControlPlane, tmp_path: Path) -> Iterator[SmallRun]:
    with small_run(open_api(cluster.kubeconfig), tmp_path, "rights") as made:
        cluster.kubectl("create", "serviceaccount", "narrow", "-n", made.lease)
        bind(cluster, made, made.lease, "--role=w2s-controller-lease")
        yield made


def bind(cluster: ControlPlane, run: SmallRun, namespace: str, role: str = "--clusterrole=w2s-controller") -> None:
    """Give the controller a role in one namespace."""
    cluster.kubectl("create", "rolebinding", "narrow", role, f"--serviceaccount={run.lease}:narrow", "-n", namespace)


@contextmanager
def controller(cluster: ControlPlane, run: SmallRun, *namespaces: str, port: int = 0) -> Iterator[Metrics]:
    installation = run.installation.model_copy(update={"namespaces": namespaces})
    options = Options(run.lease, workers=2, health=("127.0.0.1", port), timing=Timing(), rhythm=QUICK)
    api, metrics = open_api(cluster.kubeconfig_for(run.lease, "narrow")), Metrics()
    with running(Operator(api, installation, metrics, options)):
        yield metrics


def refused(metrics: Metrics, namespace: str) -> set[str]:
    """Return what is refused in a namespace, as Prometheus reads it."""
    (family,) = [one for one in metrics.registry.collect() if one.name == "w2s_namespace_refused"]
    return {one.labels["resource"] for one in family.samples if one.labels["watched_namespace"] == namespace}


def test_a_namespace_without_rights_stops_no_other_and_is_taken_up_once_they_are_given(
    cluster: ControlPlane, run: SmallRun, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    gone = make_namespace(run.api, "rights")
    bind(cluster, run, run.namespace)
    with controller(cluster, run, gone, run.namespace) as metrics:
        run.submit()
        cluster.wait_for("the end of the experiment", lambda: run.succeeded)
        assert refused(metrics, gone) == {"weaktostrongexperiments", "jobs", "pods", "events"}
        assert refused(metrics, run.namespace) == set()
        told = [one.getMessage() for one in caplog.records if f"namespace {gone} is passed over" in one.getMessage()]
        assert len(told) == 4, "once for each kind"
        assert all("remove it from `namespaces`" in words for words in told)
        bind(cluster, run, gone)
        cluster.wait_for("the end of the refusals", lambda: not refused(metrics, gone))


def test_an_experiment_whose_jobs_may_not_be_listed_is_left_until_they_may_be(
    cluster: ControlPlane, run: SmallRun
) -> None:
    seen = make_namespace(run.api, "rights")
    rules = {"apiGroups": ["*"], "resources": ["weaktostrongexperiments", "pods", "events"], "verbs": ["*"]}
    role = {"metadata": {"name": "blind", "namespace": run.namespace}, "rules": [rules]}
    cluster.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", **role})
    blind = ("rolebinding", "blind", "-n", run.namespace)
    cluster.kubectl("create", *blind, "--role=blind", f"--serviceaccount={run.lease}:narrow")
    bind(cluster, run, seen)
    run.submit()
    with controller(cluster, run, seen, run.namespace) as metrics:
        passes = ("w2s_reconcile_seconds_count", {"outcome": "error"})
        cluster.wait_for("a pass", lambda: bool(metrics.registry.get_sample_value(*passes)))
        assert run.status() == {}
        assert run.jobs() == []
        bind(cluster, run, run.namespace)
        cluster.wait_for("the end of the experiment", lambda: run.succeeded)


def test_what_cannot_be_listed_and_why_is_in_the_probes_answer_and_in_the_log(
    cluster: ControlPlane, run: SmallRun, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_SAY_SECONDS", 0.1)
    caplog.set_level(logging.WARNING)
    port = free_port()

    def ready() -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError:
            return ""

    def words(told: str) -> bool:
        return f"not listed yet: jobs: list jobs {run.namespace}: the API server answers 403" in told

    with controller(cluster, run, run.namespace, port=port):
        cluster.wait_for("the probe's words", lambda: words(ready()))
        cluster.wait_for("the log", lambda: any(words(one.getMessage()) for one in caplog.records))
        bind(cluster, run, run.namespace)
        cluster.wait_for("readiness", lambda: ready() == "ok\n")
