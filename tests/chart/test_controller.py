"""The controller's Deployment, and what stands around it."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from controller.cli.controller import command
from controller.kube.lease_record import Timing
from controller.operator.health import HealthServer
from tests.support.chart import CHART, Helm, only

CREDENTIALS = {"secretName": "w2s-store"}
ROLE = "arn:aws:iam::123456789012:role/w2s"


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


def test_service_budget_and_network_policy_select_the_same_pods(helm: Helm) -> None:
    objects = helm.objects()
    selector = only(objects, "Deployment")["spec"]["selector"]["matchLabels"]
    assert only(objects, "Service")["spec"]["selector"] == selector
    assert only(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == selector
    assert only(objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == selector


def test_a_long_name_of_the_release_gives_names_that_kubernetes_takes(helm: Helm) -> None:
    release = "a" * 53
    text = helm("template", release, str(CHART), "--kube-version", "1.36.0", "--set", "crds.install=false")
    names = [one["metadata"]["name"] for one in yaml.safe_load_all(text) if one]
    assert max(map(len, names)) <= 63


@pytest.mark.parametrize(("wrong", "code"), [(None, 0), ("not listed yet: jobs", 1)])
def test_helm_test_asks_whether_the_controller_is_ready(helm: Helm, wrong: str | None, code: int) -> None:
    container = only(helm.objects(), "Pod")["spec"]["containers"][0]
    body, _, hint = container["args"]
    with HealthServer(("127.0.0.1", 0), CollectorRegistry(), lambda: None, lambda: wrong) as server:
        address = f"http://127.0.0.1:{server.port}/readyz"
        once = body.replace("TRIES = 30", "TRIES = 1").replace("PAUSE = 2", "PAUSE = 0")
        command_line = [sys.executable, *container["command"][1:], once, address, hint]
        done = subprocess.run(command_line, capture_output=True, check=False)
    assert done.returncode == code, done.stderr
    said = (done.stdout + done.stderr).decode()
    assert (wrong or "ok") in said
    assert (hint in said) == bool(wrong)
