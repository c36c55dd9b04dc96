"""Which way packets may go: stores, names, the API server, and workers of one training to each other."""

from __future__ import annotations

from typing import Any

import pytest

from controller.api.labels import MANAGED_BY, MANAGER, STEP_KIND
from controller.plan.jobs.names import MEETING_PORT
from tests.support.chart import CHART, Helm, only

TEAM = {"workerNamespaces": [{"name": "team-a"}]}


def _policy(helm: Helm, values: dict[str, Any], name: str) -> dict[str, Any]:
    spec: dict[str, Any] = only(helm.objects(values), "NetworkPolicy", name)["spec"]
    return spec


def _ports(rules: list[dict[str, Any]]) -> list[set[int]]:
    return [{port["port"] for port in rule["ports"]} for rule in rules]


def _store(name: str, endpoint: str | None = None, **credentials: str) -> dict[str, Any]:
    settings = {"uri": "s3://bucket", **({"endpoint": endpoint} if endpoint else {})}
    return {"name": name, "settings": settings, "credentials": credentials}


@pytest.mark.parametrize(
    ("stores", "ports"),
    [
        ([], {443}),
        ([_store("aws")], {443}),
        ([_store("in", "http://minio.storage:9000")], {9000}),
        ([_store("plain", "http://minio.storage")], {80}),
        ([_store("in", "http://minio.storage:9000"), _store("aws")], {9000, 443}),
        ([_store("v6", "http://[fd00::1]:7070")], {7070}),
    ],
)
def test_the_stores_ports_are_read_off_their_endpoints(
    helm: Helm, stores: list[dict[str, Any]], ports: set[int]
) -> None:
    policy = _policy(helm, {**TEAM, "stores": stores, "networkPolicy": {"hub": {"enabled": False}}}, "w2s-workers")
    assert _ports(policy["egress"]) == [{53}, ports]
    policy = _policy(helm, {"stores": stores}, "w2s-controller")
    assert _ports(policy["egress"]) == [{443, 6443}, {53}, ports]


def test_ports_that_are_given_decide(helm: Helm) -> None:
    values = {"stores": [_store("in", "http://s3:9000")], "networkPolicy": {"store": {"ports": [8333]}}}
    assert _ports(_policy(helm, values, "w2s-controller")["egress"])[-1] == {8333}


def _places(policy: dict[str, Any]) -> list[tuple[str, set[int]]]:
    """Names of the peers that `_named` made, with the ports."""
    peers = [next(iter(rule["to"]))["podSelector"]["matchLabels"] for rule in policy["egress"] if "to" in rule]
    return [(*peer.values(), ports) for peer, ports in zip(peers, _ports(policy["egress"])[-len(peers) :], strict=True)]


def _named(name: str) -> list[dict[str, Any]]:
    return [{"podSelector": {"matchLabels": {"app": name}}}]


NARROW = {"dns": {"to": _named("dns")}, **{name: {"to": _named(name)} for name in ("store", "tokenService", "hub")}}
DNS, STORE, TOKENS, HUB = ("dns", {53}), ("store", {9000}), ("tokenService", {443}), ("hub", {443})
PROXY = {"to": _named("proxy"), "ports": [3128]}


def test_store_token_service_and_hub_have_each_their_own_peers(helm: Helm) -> None:
    team = [{"name": "team-a", "serviceAccountAnnotations": {"eks.amazonaws.com/role-arn": "arn"}}, {"name": "team-b"}]
    values = {"stores": [_store("in", "http://s3:9000")], "networkPolicy": NARROW, "workerNamespaces": team}
    policies = [one for one in helm.objects(values) if one["metadata"]["name"] == "w2s-workers"]
    assert [_places(one["spec"]) for one in policies] == [[DNS, STORE, TOKENS, HUB], [DNS, STORE, HUB]]
    assert _places(_policy(helm, values, "w2s-controller")) == [DNS, STORE]


@pytest.mark.parametrize(
    "controller",
    [
        {"credentials": {"webIdentity": {"roleArn": "arn:aws:iam::123456789012:role/w2s"}}},
        {"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn"}}},
    ],
)
def test_the_token_service_is_reached_by_those_that_have_a_web_identity(helm: Helm, controller: dict[str, Any]) -> None:
    stores = [_store("web", "http://s3:9000", serviceAccountName="w2s-worker")]
    values = {**TEAM, "stores": stores, "networkPolicy": NARROW, "controller": controller}
    assert _places(_policy(helm, values, "w2s-workers")) == [DNS, STORE, TOKENS, HUB]
    assert _places(_policy(helm, values, "w2s-controller")) == [DNS, STORE, TOKENS]


def test_a_proxy_is_reached_by_the_controller_and_by_workers(helm: Helm) -> None:
    policies = {**NARROW, "proxy": PROXY}
    values = {**TEAM, "stores": [_store("in", "http://s3:9000")], "networkPolicy": policies}
    assert ("proxy", {3128}) in _places(_policy(helm, values, "w2s-workers"))
    assert ("proxy", {3128}) in _places(_policy(helm, values, "w2s-controller"))


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_that_the_policy_would_not_let_the_controller_reach_is_refused(helm: Helm, name: str) -> None:
    told = {"controller": {"env": [{"name": name, "value": "http://proxy:3128"}]}}
    assert f'controller.env[0].name: "{name}" with networkPolicy.proxy.ports empty; expected' in helm.refusal(told)
    assert helm.objects({**told, "networkPolicy": {"proxy": PROXY}})
    assert helm.objects({**told, "networkPolicy": {"enabled": False}})


def test_nobody_reaches_a_worker_but_the_other_nodes_of_a_training(helm: Helm) -> None:
    workers = _policy(helm, TEAM, "w2s-workers")
    assert workers["podSelector"]["matchLabels"] == {MANAGED_BY: MANAGER}
    assert "Ingress" in workers["policyTypes"]
    assert "ingress" not in workers
    training = _policy(helm, TEAM, "w2s-training")
    nodes = {"podSelector": {"matchLabels": {MANAGED_BY: MANAGER, STEP_KIND: "train"}}}
    assert training["podSelector"] == nodes["podSelector"]
    assert [rule["from"] for rule in training["ingress"]] == [[nodes]]
    assert [rule["to"] for rule in training["egress"]] == [[nodes]]
    assert training["ingress"][0]["ports"] == training["egress"][0]["ports"]
    port = training["ingress"][0]["ports"][0]
    assert port["port"] <= MEETING_PORT <= port["endPort"]


def test_the_clouds_metadata_service_is_not_reached_by_default(helm: Helm) -> None:
    _, *outside = _policy(helm, {**TEAM, "stores": [_store("web", serviceAccountName="w2s-worker")]}, "w2s-workers")[
        "egress"
    ]
    assert len(outside) == 3
    for rule in outside:
        assert rule["to"][0]["ipBlock"] == {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}


def test_without_policies_there_are_none(helm: Helm) -> None:
    objects = helm.objects({**TEAM, "networkPolicy": {"enabled": False}})
    assert not [one for one in objects if one["kind"] == "NetworkPolicy"]


def test_a_store_inside_the_cluster_is_reached_by_the_pods_that_are_named(helm: Helm) -> None:
    policies = [one for one in helm.objects(CHART / "ci" / "gpu-cluster-values.yaml") if one["kind"] == "NetworkPolicy"]
    peers = [one["spec"]["egress"][-1]["to"] for one in policies if one["metadata"]["name"] != "w2s-training"]
    assert [[peer["podSelector"]["matchLabels"] for peer in one] for one in peers] == [[{"app": "minio"}]] * 2
