"""Who may do what: the controller what it needs, where it watches; workers nothing."""

from __future__ import annotations

from typing import Any

from tests.support.chart import CHART, Helm, only

TEAMS = CHART / "ci" / "two-teams-values.yaml"


def _verbs(rules: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}


def test_the_controller_reads_no_secrets_and_makes_no_pods(helm: Helm) -> None:
    rules = [rule for one in helm.objects() if one["kind"] in ("Role", "ClusterRole") for rule in one["rules"]]
    resources = {resource for resource, _ in _verbs(rules)}
    assert resources.isdisjoint({"secrets", "configmaps", "nodes", "serviceaccounts", "namespaces", "*"})
    assert {verb for resource, verb in _verbs(rules) if resource == "pods"} == {"list", "watch"}
    assert "*" not in {verb for _, verb in _verbs(rules)}


def test_with_a_list_of_namespaces_it_has_rights_in_them_alone(helm: Helm) -> None:
    objects = helm.objects(TEAMS)
    assert not [one for one in objects if one["kind"].startswith("Cluster")]
    places = [one["metadata"]["namespace"] for one in objects if one["kind"] == "Role"]
    assert sorted(places) == ["team-a", "team-b", "w2s-system"]


def test_the_rights_in_a_namespace_are_those_in_a_cluster(helm: Helm) -> None:
    everywhere = only(helm.objects(), "ClusterRole", "w2s-controller")["rules"]
    roles = [
        one for one in helm.objects(TEAMS) if one["kind"] == "Role" and one["metadata"]["name"] == "w2s-controller"
    ]
    assert [role["rules"] for role in roles] == [everywhere, everywhere]


def test_it_reads_workloads_of_kueue_only_where_kueue_is(helm: Helm) -> None:
    without = _verbs(only(helm.objects(), "ClusterRole", "w2s-controller")["rules"])
    beside = _verbs(only(helm.objects({"kueue": {"enabled": True}}), "ClusterRole", "w2s-controller")["rules"])
    assert beside - without == {("workloads", "list"), ("workloads", "watch")}


def test_of_leases_it_may_change_its_own_alone(helm: Helm) -> None:
    rules = only(helm.objects(), "Role", "w2s-controller-lease")["rules"]
    named = [rule for rule in rules if rule.get("resourceNames") == ["w2s-controller"]]
    assert _verbs(named) == {("leases", "get"), ("leases", "update")}
    assert _verbs([rule for rule in rules if rule not in named]) == {("leases", "create")}


def test_workers_have_an_account_without_rights_or_token_and_with_their_teams_identity(helm: Helm) -> None:
    objects = helm.objects(TEAMS)
    accounts = [one for one in objects if one["kind"] == "ServiceAccount" and one["metadata"]["name"] == "w2s-worker"]
    assert {one["metadata"]["namespace"] for one in accounts} == {"team-a", "team-b"}
    for account in accounts:
        team = account["metadata"]["namespace"]
        assert account["automountServiceAccountToken"] is False
        assert account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].endswith(f"w2s-{team}")
    bound = {subject["name"] for one in objects if one["kind"].endswith("Binding") for subject in one["subjects"]}
    assert bound == {"w2s-controller"}


def test_accounts_that_somebody_else_makes_are_not_made(helm: Helm) -> None:
    values = {"workerNamespaces": [{"name": "team-a"}], "workerServiceAccount": {"create": False}}
    accounts = [one["metadata"]["name"] for one in helm.objects(values) if one["kind"] == "ServiceAccount"]
    assert accounts == ["w2s-controller"]
