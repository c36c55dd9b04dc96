"""The controller's Deployment, and what stands around it."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from controller.cli.controller import command
from controller.kube.lease_record import Timing
from controller.operator.health import HealthServer
from controller.operator.metrics import Metrics
from tests.support.chart import CHART, Helm, only

CREDENTIALS = {"secretName": "w2s-store"}
ROLE = "arn:aws:iam::123456789012:role/w2s"

_DNS = """
import socket
resolve = socket.getaddrinfo
def pods(name, port, *more, **options):
    hosts = {addresses} if name == "pods" else [name]
    return [found for host in hosts for found in resolve(host, port, *more, **options)]
socket.getaddrinfo = pods
"""
"""In place of the cluster's DNS: the addresses that it gives for a headless Service"""


def _pod(helm: Helm, values: dict[str, Any] | None = None) -> dict[str, Any]:
    template: dict[str, Any] = only(helm.objects(values), "Deployment")["spec"]["template"]
    return template


def _container(pod: dict[str, Any]) -> dict[str, Any]:
    container: dict[str, Any] = pod["spec"]["containers"][0]
    return container


def test_its_arguments_are_options_of_the_command(helm: Helm) -> None:
    known = {option for parameter in command.params for option in parameter.opts}
    assert {option.split("=")[0] for option in _container(_pod(helm))["args"]} <= known


def test_a_change_of_the_installation_starts_new_pods_and_nothing_else_does(helm: Helm) -> None:
    before = _pod(helm)["metadata"]["annotations"]
    assert _pod(helm, {"workers": {"backoffLimit": 4}})["metadata"]["annotations"] != before
    assert _pod(helm, {"controller": {"replicas": 3}})["metadata"]["annotations"] == before


def test_it_has_time_to_hand_the_lease_over(helm: Helm) -> None:
    # A pass under way, a release of the Lease (half of the renewal deadline for each of two requests), three informers.
    least = Timing().renew_deadline * 2 + 3 * 5
    assert _pod(helm)["spec"]["terminationGracePeriodSeconds"] > least


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({}, r"w2s-controller:\d+\.\d+\.\d+"),
        ({"tag": "dev"}, "w2s-controller:dev"),
        ({"repository": "registry.example.com:5000/a/b", "tag": "1"}, "registry.example.com:5000/a/b:1"),
        ({"tag": "dev", "digest": "sha256:" + "0" * 64}, "w2s-controller@sha256:" + "0" * 64),
    ],
)
def test_the_image_is_named_by_its_tag_or_by_its_digest(helm: Helm, image: dict[str, str], expected: str) -> None:
    assert re.fullmatch(expected, _container(_pod(helm, {"image": image}))["image"])


def test_keys_come_from_a_secret_that_is_only_named(helm: Helm) -> None:
    container = _container(_pod(helm, {"controller": {"credentials": CREDENTIALS}}))
    assert container["envFrom"] == [{"secretRef": {"name": "w2s-store"}}]
    assert {"name": "W2S_CREDENTIALS", "value": "/etc/w2s-credentials"} in container["env"]
    assert "/etc/w2s-credentials" in {mount["mountPath"] for mount in container["volumeMounts"]}
    assert "envFrom" not in _container(_pod(helm))


def test_a_web_identity_is_a_file_that_kubernetes_renews(helm: Helm) -> None:
    pod = _pod(helm, {"controller": {"credentials": {"webIdentity": {"roleArn": ROLE, "audience": "store"}}}})
    variables = {one["name"]: one["value"] for one in _container(pod)["env"]}
    assert variables["AWS_ROLE_ARN"] == ROLE
    mounts = {mount["name"]: mount["mountPath"] for mount in _container(pod)["volumeMounts"]}
    assert variables["AWS_WEB_IDENTITY_TOKEN_FILE"] == f"{mounts['web-identity']}/token"
    volume = next(one for one in pod["spec"]["volumes"] if one["name"] == "web-identity")
    token = {"path": "token", "audience": "store", "expirationSeconds": 3600}
    assert volume["projected"]["sources"] == [{"serviceAccountToken": token}]


def test_labels_of_ones_own_cannot_take_the_pods_out_of_the_selector(helm: Helm) -> None:
    labels = {"app.kubernetes.io/name": "mine", "team": "research"}
    deployment = only(helm.objects({"controller": {"podLabels": labels}}), "Deployment")["spec"]
    given = deployment["template"]["metadata"]["labels"]
    assert given.items() >= deployment["selector"]["matchLabels"].items()
    assert given["team"] == "research"


def test_every_field_of_a_spread_and_of_a_toleration_may_be_given(helm: Helm) -> None:
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "minDomains": 2,
        "nodeAffinityPolicy": "Honor",
        "nodeTaintsPolicy": "Ignore",
        "matchLabelKeys": ["team"],
    }
    tolerations = [{"key": "busy", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30}]
    values = {"topologySpreadConstraints": [spread], "tolerations": tolerations}
    deployment = only(helm.objects({"controller": values}), "Deployment")["spec"]
    pod = deployment["template"]["spec"]
    assert pod["topologySpreadConstraints"] == [{**spread, "labelSelector": deployment["selector"]}]
    assert pod["tolerations"] == tolerations


def test_service_budget_and_network_policy_select_the_same_pods(helm: Helm) -> None:
    objects = helm.objects()
    selector = only(objects, "Deployment")["spec"]["selector"]["matchLabels"]
    assert only(objects, "Service", "w2s-controller")["spec"]["selector"] == selector
    assert only(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == selector
    assert only(objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == selector


def test_a_long_name_of_the_release_gives_names_that_kubernetes_takes(helm: Helm) -> None:
    release = "a" * 53
    text = helm("template", release, str(CHART), "--kube-version", "1.36.0", "--set", "crds.install=false")
    names = [one["metadata"]["name"] for one in yaml.safe_load_all(text) if one]
    assert max(map(len, names)) <= 63


def test_the_pod_of_helm_test_runs_where_the_controller_runs(helm: Helm) -> None:
    objects = helm.objects(CHART / "ci" / "gpu-cluster-values.yaml")
    controller = only(objects, "Deployment")["spec"]["template"]["spec"]
    asking = only(objects, "Pod")["spec"]
    for field in ("imagePullSecrets", "nodeSelector", "priorityClassName", "tolerations"):
        assert asking[field] == controller[field]


def test_helm_test_finds_pods_that_are_not_ready_and_prometheus_finds_each_once(helm: Helm) -> None:
    objects = helm.objects({"monitoring": {"serviceMonitor": {"enabled": True}}})
    service = only(objects, "Service", "w2s-controller-ready")
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert service["spec"]["selector"] == only(objects, "Deployment")["spec"]["selector"]["matchLabels"]
    assert only(objects, "Pod")["spec"]["containers"][0]["args"][1] == "w2s-controller-ready.w2s-system.svc"
    selected = only(objects, "ServiceMonitor")["spec"]["selector"]["matchLabels"]
    assert not service["metadata"]["labels"].items() >= selected.items()


@pytest.mark.parametrize(
    ("processes", "code", "said"),
    [
        ([(None, True)], 0, "127.0.0.1: ok, leads"),
        ([(None, True), (None, False)], 0, "127.0.0.2: ok"),
        ([(None, True), ("not listed yet: jobs", False)], 1, "127.0.0.2: not listed yet: jobs"),
        ([(None, False), (None, False)], 1, "expected all ready and one that leads"),
        ([(None, True), (None, True)], 1, "expected all ready and one that leads"),
        ([], 1, "refused"),
    ],
    ids=["one", "two", "an unready one", "no leader", "two leaders", "none"],
)
def test_helm_test_asks_every_process_whether_it_is_ready_and_leads(
    helm: Helm, processes: list[tuple[str | None, bool]], code: int, said: str
) -> None:
    container = only(helm.objects(), "Pod")["spec"]["containers"][0]
    body, _, _, hint = container["args"]
    with contextlib.ExitStack() as stack:
        port = 0
        for number, (wrong, leads) in enumerate(processes, start=1):
            metrics = Metrics()
            metrics.watch(lambda: 0, lambda leads=leads: leads)
            address = (f"127.0.0.{number}", port)
            server = HealthServer(address, metrics.registry, lambda: None, lambda wrong=wrong: wrong)
            port = stack.enter_context(server).port
        addresses = [f"127.0.0.{number + 1}" for number in range(len(processes) or 1)]
        once = body.replace("TRIES = 30", "TRIES = 1").replace("PAUSE = 2", "PAUSE = 0")
        program = _DNS.format(addresses=addresses) + once
        command_line = [sys.executable, *container["command"][1:], program, "pods", str(port or 9), hint]
        done = subprocess.run(command_line, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
    assert (hint in done.stderr) == bool(code)
