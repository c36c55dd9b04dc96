"""A training by DeepSpeed over gloo in two pods: what it learns, also when it loses both of them on its way."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.support.small_experiments import FROM_CHECKPOINT, LONG, STEPS, one_training
from tests.support.tenant import Tenant
from tests.support.whole_cluster import OTHERS, WORK, WholeCluster, step_named


def learnt(tenant: Tenant, made: dict[str, Any]) -> tuple[list[float], dict[str, Any]]:
    """The loss of each step, and the weights."""
    from safetensors.numpy import load_file  # only where the tests of this folder run

    step = step_named(made, LONG)
    result = tenant.result(step)
    assert result is not None
    files = tenant.files(step, result)
    losses = [point["loss"] for point in json.loads(files["loss.json"].read_text())]
    return losses, load_file(files["model/model.safetensors"])


@pytest.fixture(scope="module")
def one_pod(cluster: WholeCluster) -> tuple[list[float], dict[str, Any]]:
    """What the same training learns with both ranks in one pod; for the other tenant, because its key is the same."""
    made = one_training("in-one-pod")
    made["spec"]["storage"] = {"name": OTHERS}
    cluster.apply(made, OTHERS)
    cluster.result_of(step_named(made, LONG), OTHERS)
    cluster.kubectl("delete", "w2s", "in-one-pod", namespace=OTHERS)
    return learnt(cluster.tenants[OTHERS], made)


def test_two_pods_of_which_one_is_deleted_and_one_killed_learn_what_one_pod_learns(
    cluster: WholeCluster, one_pod: tuple[list[float], dict[str, Any]]
) -> None:
    """The pod that is deleted lets all of them save; after the kill they go on from there, and not from the start."""
    made = one_training("in-two-pods", nodes=2)
    step, tenant = step_named(made, LONG), cluster.tenants[WORK]
    cluster.apply(made)
    cluster.wait_for("a part of the training", lambda: tenant.progress(step) > STEPS // 6)
    first, second = sorted(cluster.pods_of(step), key=lambda pod: str(pod["metadata"]["name"]))
    cluster.kubectl("delete", "pod", second["metadata"]["name"], "--wait=false")
    cluster.wait_for("a checkpoint", lambda: bool(tenant.checkpoints(step)))
    saved = tenant.checkpoints(step)[-1]
    assert saved < STEPS
    cluster.wait_for("progress beyond it", lambda: tenant.progress(step) > saved)
    assert cluster.kill(first)
    cluster.result_of(step)

    # The last pod of each node is one that was there at the end, and so began after the kill, or outlived it.
    cluster.wait_for_job(step)
    assert cluster.charged(step) == 1, "the kill is charged, the deletion is not"
    for node in (0, 1):
        assert FROM_CHECKPOINT in tenant.logs(step, node)[-1], f"node {node} began anew after the kill"
    losses, weights = learnt(tenant, made)
    assert len(losses) == STEPS
    assert losses == pytest.approx(one_pod[0], rel=1e-4)
    assert weights.keys() == one_pod[1].keys()
    for name, expected in one_pod[1].items():
        np.testing.assert_allclose(weights[name], expected, rtol=1e-4, atol=1e-5, err_msg=name)
