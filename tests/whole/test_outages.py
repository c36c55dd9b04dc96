"""One training runs while all that its experiment stands on goes away and comes back, or is replaced by another.

Each test is one such event, and holds whichever others came before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.plan.graph import Step
from tests.support.certificates import NODE
from tests.support.chart import NAMESPACE
from tests.support.small_experiments import LONG, one_training
from tests.support.whole_cluster import WORK, WholeCluster, container_of, step_named

CONTROLLER = "localhost/w2s-controller"
CONTROLLERS = "app.kubernetes.io/component=controller"


@dataclass(frozen=True)
class Training:
    """A training that is on its way."""

    manifest: dict[str, Any]
    step: Step
    container: str


@pytest.fixture(scope="module", autouse=True)
def nothing_left_to_run(cluster: WholeCluster) -> Iterator[None]:
    """The training is that of all tests of this module."""
    yield
    cluster.delete_experiments()


@pytest.fixture(scope="module")
def training(cluster: WholeCluster) -> Training:
    """About three minutes of work for two cores."""
    made = one_training("outages", 11, steps=9000)
    step = step_named(made, LONG)
    cluster.begin(made, step)
    (pod,) = cluster.pods_of(step)
    return Training(made, step, container_of(pod))


@pytest.fixture
def runs_on(cluster: WholeCluster, training: Training) -> Iterator[None]:
    """After an event the very same worker is at work."""
    yield
    assert cluster.tenants[WORK].result(training.step) is None, "the training was to outlast this"
    (pod,) = cluster.pods_of(training.step)
    assert container_of(pod) == training.container


def lease(cluster: WholeCluster) -> dict[str, Any]:
    """What the controllers lead by."""
    spec: dict[str, Any] = cluster.get("lease", "w2s-controller", namespace=NAMESPACE)["spec"]
    return spec


def kill_leader(cluster: WholeCluster) -> str:
    """Kill the controller that renews the Lease, and return its name; a holder that has ended renews nothing."""
    seen, names = lease(cluster)["renewTime"], []

    def is_killed() -> bool:
        now = lease(cluster)
        names.append(now["holderIdentity"])
        pod = names[-1].rpartition("-")[0]
        named = cluster.get("pods", "--field-selector", f"metadata.name={pod}", namespace=NAMESPACE)["items"]
        return now["renewTime"] != seen and any(cluster.kill(one) for one in named)

    cluster.wait_for("a leader to kill", is_killed, namespace=NAMESPACE)
    return str(names[-1])


def images(cluster: WholeCluster) -> set[str]:
    """Return the images of the controllers that run."""
    pods = cluster.get("pods", "-l", CONTROLLERS, namespace=NAMESPACE)["items"]
    return {pod["spec"]["containers"][0]["image"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}


@pytest.mark.usefixtures("runs_on")
def test_the_api_server_is_away(cluster: WholeCluster) -> None:
    cluster.plane.stop("kube-apiserver")
    cluster.plane.start("kube-apiserver")
    cluster.plane.wait_until_ready()


@pytest.mark.usefixtures("runs_on")
def test_the_store_is_away(cluster: WholeCluster) -> None:
    """Long enough to be said of an experiment that asks for it; that one goes on when the store is back."""
    later = one_training("later", 18)
    with cluster.admin.away():
        cluster.apply(later)
        cluster.wait_for("word of the store", lambda: "StoreUnavailable" in cluster.condition("later", "Progressing"))
    cluster.wait_for("the experiment", lambda: "StoreUnavailable" not in cluster.condition("later", "Progressing"))
    cluster.kubectl("delete", "w2s", "later")


@pytest.mark.usefixtures("runs_on")
def test_the_kubelet_is_away(cluster: WholeCluster) -> None:
    """Until the node is taken for lost."""
    cluster.plane.stop("kubelet")
    cluster.plane.kubectl("wait", f"node/{NODE}", "--for=condition=Ready=Unknown", "--timeout=120s")
    cluster.plane.start("kubelet")
    cluster.node.wait_until_ready()


@pytest.mark.usefixtures("runs_on")
def test_the_leader_is_killed(cluster: WholeCluster) -> None:
    killed = kill_leader(cluster)
    cluster.wait_for("another leader", lambda: lease(cluster)["holderIdentity"] not in ("", killed))


@pytest.mark.usefixtures("runs_on")
def test_a_release_is_replaced_and_taken_back(cluster: WholeCluster) -> None:
    cluster.node.ctr("images", "tag", f"{CONTROLLER}:test", f"{CONTROLLER}:next")
    values = cluster.values()
    values["image"] |= {"tag": "next"}
    (cluster.place / "next.yaml").write_text(yaml.safe_dump(values))
    cluster.follow(f"helm upgrade w2s charts/w2s -n {NAMESPACE} -f next.yaml --wait")
    cluster.wait_for("the other release alone", lambda: images(cluster) == {f"{CONTROLLER}:next"}, seconds=60)
    cluster.follow(f"helm rollback w2s -n {NAMESPACE} --wait")
    cluster.wait_for("this release alone", lambda: images(cluster) == {f"{CONTROLLER}:test"}, seconds=60)


@pytest.mark.usefixtures("runs_on")
def test_the_keys_of_the_store_are_exchanged(cluster: WholeCluster, s3_program: Path) -> None:
    """The old key is taken away as soon as the worker has used the new one."""
    tenant = cluster.tenants[WORK]
    new = cluster.admin.add_guest(s3_program, "new-key", tenant.store, tenant.bucket)
    cluster.give_keys(WORK, new)
    cluster.wait_for("a request with the new key", lambda: bool(cluster.admin.requests("new-key")))
    cluster.admin.remove_user(s3_program, tenant.store.access_key)


def test_the_experiment_goes_on_to_its_end_as_if_nothing_had_happened(
    cluster: WholeCluster, training: Training
) -> None:
    cluster.result_of(training.step)
    cluster.wait_for_job(training.step)
    assert cluster.charged(training.step) == 0
    done = cluster.status("outages")["steps"]["done"]
    cluster.wait_for("the next steps", lambda: cluster.status("outages")["steps"]["done"] > done + 1)
    cluster.assert_one_job_a_step()
