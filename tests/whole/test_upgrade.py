"""A release replaces another, and is taken back, while an experiment runs."""

from __future__ import annotations

import yaml

from tests.support.chart import NAMESPACE
from tests.support.small_experiments import LONG, NEXT, one_training
from tests.support.whole_cluster import WORK, WholeCluster, container_of, step_named

CONTROLLER = "localhost/w2s-controller"


def images(cluster: WholeCluster) -> set[str]:
    """Return the images of the controllers that run."""
    pods = cluster.get("pods", "-l", "app.kubernetes.io/component=controller", namespace=NAMESPACE)["items"]
    return {pod["spec"]["containers"][0]["image"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}


def test_an_experiment_ends_as_if_there_had_been_no_upgrade_and_no_rollback(cluster: WholeCluster) -> None:
    made = one_training("upgraded", 21, steps=4500)
    step = step_named(made, LONG)
    cluster.begin(made, step)
    (before,) = cluster.pods_of(step)

    cluster.node.ctr("images", "tag", f"{CONTROLLER}:test", f"{CONTROLLER}:next")
    values = cluster.values()
    values["image"] |= {"tag": "next"}
    (cluster.place / "next.yaml").write_text(yaml.safe_dump(values))
    cluster.follow(f"helm upgrade w2s charts/w2s -n {NAMESPACE} -f next.yaml --wait")
    assert images(cluster) == {f"{CONTROLLER}:next"}
    cluster.follow(f"helm rollback w2s -n {NAMESPACE} --wait")
    assert images(cluster) == {f"{CONTROLLER}:test"}

    assert cluster.tenants[WORK].result(step) is None, "the training was to outlast both"
    (after,) = cluster.pods_of(step)
    assert container_of(after) == container_of(before), "the worker has run on"
    cluster.result_of(step)
    assert cluster.charged(step) == 0
    cluster.result_of(step_named(made, NEXT))
    cluster.assert_one_job_a_step()
