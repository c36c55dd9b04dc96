"""What a pod in an experiment's namespace may not do, though it tries with all that it can be given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.chart import NAMESPACE
from tests.support.small_experiments import one_training
from tests.support.whole_cluster import OTHERS, SECRET, WORK, WORKER, WholeCluster, step_named

ASK = """
import json, ssl, urllib.error, urllib.request
folder = "/var/run/secrets/kubernetes.io/serviceaccount/"
token, answers = open(folder + "token").read(), {}
for path in PATHS:
    asked = urllib.request.Request("https://kubernetes.default.svc" + path)
    asked.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(asked, context=ssl.create_default_context(cafile=folder + "ca.crt")) as answer:
            answers[path] = answer.status
    except urllib.error.HTTPError as refused:
        answers[path] = refused.code
print(json.dumps(answers))
"""
READ = """
import boto3, json, os
from botocore.exceptions import ClientError
store, answers = boto3.client("s3", endpoint_url=ENDPOINT, region_name="us-east-1"), {}
for bucket in BUCKETS:
    for name, call in (
        ("list", lambda: store.list_objects_v2(Bucket=bucket)),
        ("put", lambda: store.put_object(Bucket=bucket, Key="tried", Body=b"")),
    ):
        try:
            answers[f"{name} {bucket}"] = call()["ResponseMetadata"]["HTTPStatusCode"]
        except ClientError as refused:
            answers[f"{name} {bucket}"] = refused.response["ResponseMetadata"]["HTTPStatusCode"]
print(json.dumps(answers))
"""


def pod(name: str, program: str, image: str, **spec: Any) -> dict[str, Any]:
    """A pod that runs a program in the worker's image, as the restricted level asks."""
    container = {
        "name": "worker",
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["python", "-c", program],
        "envFrom": [{"secretRef": {"name": SECRET}}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    secure = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    whole = {"restartPolicy": "Never", "securityContext": secure, "containers": [container], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": whole}


def answers_of(cluster: WholeCluster, made: dict[str, Any]) -> dict[str, int]:
    """Run a pod in the namespace of the experiments, and return what it printed."""
    name = made["metadata"]["name"]
    cluster.apply(made)
    cluster.wait_for(f"the end of {name}", lambda: cluster.get("pod", name)["status"]["phase"] == "Succeeded", 60)
    answers: dict[str, int] = json.loads(cluster.kubectl("logs", name))
    cluster.kubectl("delete", "pod", name)
    return answers


def test_the_workers_account_with_a_token_may_do_nothing_at_the_api_server(cluster: WholeCluster) -> None:
    here, there = f"/api/v1/namespaces/{WORK}", f"/api/v1/namespaces/{OTHERS}"
    experiments = f"/apis/w2s.dev/v1alpha1/namespaces/{WORK}/weaktostrongexperiments"
    paths = [f"{here}/secrets", f"{here}/pods", f"{there}/secrets", "/api/v1/nodes", experiments]
    program = ASK.replace("PATHS", repr(paths))
    made = pod("asks", program, f"{WORKER}:test", serviceAccountName="w2s-worker", automountServiceAccountToken=True)
    assert answers_of(cluster, made) == dict.fromkeys(paths, 403)


def test_a_worker_has_no_token_at_all(cluster: WholeCluster) -> None:
    made = one_training("without-token", 7)
    cluster.apply(made)
    step = step_named(made, "prepare labelled gold")
    cluster.result_of(step)
    pods = cluster.get("pods", "-l", "app.kubernetes.io/managed-by=w2s")["items"]
    mounted = [mount["mountPath"] for one in pods for mount in one["spec"]["containers"][0]["volumeMounts"]]
    assert mounted
    assert not [path for path in mounted if "serviceaccount" in path]


def test_the_keys_of_one_tenant_open_nothing_of_the_other(cluster: WholeCluster) -> None:
    own, other = (cluster.tenants[name].bucket for name in (WORK, OTHERS))
    program = READ.replace("ENDPOINT", repr(cluster.admin.endpoint)).replace("BUCKETS", repr([own, other]))
    answers = answers_of(cluster, pod("reads", program, f"{WORKER}:test"))
    assert answers == {f"list {own}": 200, f"put {own}": 200, f"list {other}": 403, f"put {other}": 403}


@pytest.mark.parametrize("storage", [{"name": OTHERS}, {"uri": f"s3://{OTHERS}-experiments/w2s"}])
def test_an_experiment_that_names_the_other_tenants_store_is_refused(
    cluster: WholeCluster, storage: dict[str, str]
) -> None:
    made = one_training("trespasses")
    made["spec"]["storage"] = storage
    cluster.apply(made)
    cluster.kubectl("wait", "w2s/trespasses", "--for=condition=Failed", "--timeout=60s")
    (failed,) = (one for one in cluster.get("w2s", "trespasses")["status"]["conditions"] if one["type"] == "Failed")
    assert failed["reason"] == "InvalidSpec"
    assert "storage" in failed["message"]


def test_nothing_tells_the_keys_of_a_store(cluster: WholeCluster) -> None:
    """Objects, logs of pods, and whatever all tests before this one have left in the buckets."""
    made = one_training("tells-nothing", 8)
    cluster.apply(made)
    cluster.result_of(step_named(made, "prepare labelled gold"))
    told = [cluster.plane.kubectl("get", "w2s,jobs,pods,events,configmaps,deployments", "-A", "-o", "json").stdout]
    for namespace in (*cluster.tenants, NAMESPACE):
        names = [pod["metadata"]["name"] for pod in cluster.get("pods", namespace=namespace)["items"]]
        told += [cluster.kubectl("logs", name, namespace=namespace, check=False) for name in names]
    assert not [secret for secret in cluster.handed_out for text in told if secret in text]
    files = [path for path in cluster.admin.folder.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files for secret in cluster.handed_out if secret.encode() in path.read_bytes()]
