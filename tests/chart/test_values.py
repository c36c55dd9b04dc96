"""Wrong values are refused with a word that helps, and secrets are not values at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controller.api.placement import GpuType
from controller.settings import Installation, NodePool, Store, WorkerDefaults
from tests.support.chart import CHART, Helm, value_files

STORE = {"name": "main", "settings": {"uri": "s3://bucket/prefix"}}
WEB = {"roleArn": "arn:aws:iam::123456789012:role/w2s"}

BY_SCHEMA: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown field": ({"replicas": 3}, "additional properties 'replicas' not allowed"),
    "an unknown field inside": ({"controller": {"replica": 3}}, "'/controller': additional properties 'replica'"),
    "no process": ({"controller": {"replicas": 0}}, "'/controller/replicas': minimum: got 0, want 1"),
    "too little time to end": (
        {"controller": {"terminationGracePeriodSeconds": 5}},
        "'/controller/terminationGracePeriodSeconds': minimum: got 5, want 30",
    ),
    "a level of the log": (
        {"controller": {"logLevel": "info"}},
        "'/controller/logLevel': value must be one of 'DEBUG', 'INFO', 'WARNING'",
    ),
    "a store's name": ({"stores": [{**STORE, "name": "Main"}]}, "'/stores/0/name': 'Main' does not match pattern"),
    "a folder as a store": (
        {"stores": [{"name": "main", "settings": {"uri": "file:///data"}}]},
        "'/stores/0/settings/uri': 'file:///data' does not match pattern '^s3://",
    ),
    "a GPU that nobody knows": (
        {"pools": [{"name": "h100", "gpu": "H100"}]},
        "'/pools/0/gpu': value must be one of 'A100-40GB'",
    ),
    "bytes in a wrong unit": ({"workers": {"memory": "2GB"}}, "'/workers/memory': '2GB' does not match pattern"),
    "a number as a label": (
        {"pools": [{"name": "l4", "nodeSelector": {"spot": True}}]},
        "'/pools/0/nodeSelector/spot': got boolean, want string",
    ),
    "a tag in the repository": (
        {"image": {"repository": "registry.example.com/w2s:1"}},
        "'/image/repository': 'registry.example.com/w2s:1' does not match pattern",
    ),
    "a short digest": ({"image": {"digest": "sha256:12"}}, "'/image/digest': 'sha256:12' does not match pattern"),
}


@pytest.mark.parametrize(("values", "word"), BY_SCHEMA.values(), ids=BY_SCHEMA)
def test_a_wrong_value_is_refused_with_its_field_and_what_was_expected(
    helm: Helm, values: dict[str, Any], word: str
) -> None:
    assert word in helm.refusal(values)


TOGETHER: dict[str, tuple[dict[str, Any], str]] = {
    "a default store that is not there": (
        {"stores": [STORE], "defaultStore": "man"},
        'defaultStore: "man"; expected one of stores[].name (main)',
    ),
    "two stores of one name": ({"stores": [STORE, STORE]}, 'stores[1].name: "main" is there twice'),
    "two pools of one name": ({"pools": [{"name": "a"}, {"name": "a"}]}, 'pools[1].name: "a" is there twice'),
    "a store for a namespace that is not watched": (
        {"namespaces": ["team-a"], "stores": [{**STORE, "namespaces": ["team-b"]}]},
        'stores[0].namespaces: "team-b" is not watched; expected some of namespaces (team-a)',
    ),
    "workers where nothing is watched": (
        {"namespaces": ["team-a"], "workerNamespaces": [{"name": "team-b"}]},
        'workerNamespaces[0].name: "team-b" is not watched; expected one of namespaces (team-a)',
    ),
    "a namespace twice": (
        {"workerNamespaces": [{"name": "team-a"}, {"name": "team-a"}]},
        'workerNamespaces[1].name: "team-a" is there twice',
    ),
    "a queue without Kueue": ({"workers": {"queue": "research"}}, 'workers.queue: "research" with kueue.enabled false'),
    "alerts without what they ask for": (
        {"monitoring": {"rules": {"enabled": True}}},
        "monitoring.rules.enabled: true with monitoring.serviceMonitor.enabled false; expected both",
    ),
    "two kinds of credentials of a store": (
        {"stores": [{**STORE, "credentials": {"secretName": "keys", "serviceAccountName": "w2s-worker"}}]},
        "stores[0].credentials: both secretName and serviceAccountName; expected one",
    ),
    "two kinds of credentials of the controller": (
        {"controller": {"credentials": {"secretName": "keys", "webIdentity": WEB}}},
        "controller.credentials: both secretName and webIdentity.roleArn; expected one",
    ),
    "two volumes as one cache": (
        {"workers": {"modelCache": {"emptyDir": {}, "hostPath": {"path": "/models"}}}},
        "workers.modelCache: emptyDir, hostPath; expected one volume source",
    ),
}


@pytest.mark.parametrize(("values", "word"), TOGETHER.values(), ids=TOGETHER)
def test_values_that_do_not_fit_together_are_refused(helm: Helm, values: dict[str, Any], word: str) -> None:
    assert word in helm.refusal(values)


def test_all_that_does_not_fit_together_is_told_at_once(helm: Helm) -> None:
    said = helm.refusal({"defaultStore": "main", "workers": {"queue": "research"}})
    assert "- defaultStore: " in said
    assert "- workers.queue: " in said


KEY = "not-a-secret-" + "0" * 8
SECRETS: dict[str, dict[str, Any]] = {
    "at the top": {"accessKeyId": KEY},
    "of a store": {"stores": [{**STORE, "secretKey": KEY}]},
    "in a store's settings": {"stores": [{**STORE, "settings": {"uri": "s3://bucket", "accessKey": KEY}}]},
    "in a store's credentials": {"stores": [{**STORE, "credentials": {"secretAccessKey": KEY}}]},
    "as a variable's name": {"stores": [{**STORE, "credentials": {"AWS_SECRET_ACCESS_KEY": KEY}}]},
    "in the controller's credentials": {"controller": {"credentials": {"sessionToken": KEY}}},
    "as a variable": {"controller": {"env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": KEY}]}},
    "in a URL": {"stores": [{**STORE, "settings": {"uri": "s3://bucket", "endpoint": f"https://me:{KEY}@s3"}}]},
    "in a proxy's URL": {"controller": {"env": [{"name": "HTTPS_PROXY", "value": f"http://me:{KEY}@proxy"}]}},
}


@pytest.mark.parametrize("values", SECRETS.values(), ids=SECRETS)
def test_a_secret_among_the_values_is_refused_and_not_repeated(helm: Helm, values: dict[str, Any]) -> None:
    said = helm.refusal(values)
    assert "Secret" in said
    assert "secretName" in said
    assert KEY not in said


def test_the_name_of_a_file_with_a_token_is_no_secret(helm: Helm) -> None:
    variable = {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/var/run/token"}
    assert helm.objects({"controller": {"env": [variable]}})


def test_the_schema_knows_every_field_of_the_installation_and_no_other() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]
    fields = {name: set(found.get("properties", ())) for name, found in schema.items()}
    assert fields["workers"] | {"serviceAccount"} == _names(WorkerDefaults)  # workerServiceAccount, where it is made
    assert set(schema["stores"]["items"]["properties"]) == _names(Store)
    assert set(schema["pools"]["items"]["properties"]) == _names(NodePool)
    assert set(schema) >= _names(Installation)
    gpus = schema["pools"]["items"]["properties"]["gpu"]["enum"]
    assert [gpu for gpu in gpus if gpu] == list(GpuType.__args__)  # type: ignore[attr-defined]


def test_there_are_examples_of_values() -> None:
    assert len(value_files()) >= 3


def _names(contract: type[Any]) -> set[str]:
    return {field.alias for field in contract.model_fields.values()}
