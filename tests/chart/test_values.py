"""Wrong values are refused with a word that helps, and secrets are not values at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

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
    "a number as a variable": (
        {"controller": {"env": [{"name": "AWS_MAX_ATTEMPTS", "value": 1000000}]}},
        "'/controller/env/0/value': got number, want string",
    ),
    "a rack without a name": ({"pools": [{"name": "l4", "topologyKey": ""}]}, "'/pools/0/topologyKey': minLength"),
    "a cache that is no volume": (
        {"workers": {"modelCache": {"pvc": {"claimName": "models"}}}},
        "value must be one of 'csi', 'emptyDir', 'ephemeral'",
    ),
    "an amount in a wrong unit": (
        {"controller": {"resources": {"limits": {"memory": "1GB"}}}},
        "'/controller/resources/limits/memory': '1GB' does not match pattern",
    ),
    "an unknown field of a toleration": (
        {"controller": {"tolerations": [{"keys": "gpu"}]}},
        "'/controller/tolerations/0': additional properties 'keys' not allowed",
    ),
    "an unknown effect": (
        {"pools": [{"name": "l4", "tolerations": [{"effect": "NoRun"}]}]},
        "'/pools/0/tolerations/0/effect': value must be one of 'NoSchedule'",
    ),
    "a workers' image as one text": (
        {"workers": {"image": "w2s-worker:1"}},
        "'/workers/image': got string, want object",
    ),
    "Kueue taken away": ({"kueue": None}, "missing property 'kueue'"),
    "names taken away": ({"networkPolicy": {"dns": None}}, "'/networkPolicy': missing property 'dns'"),
    "a budget taken away": (
        {"controller": {"podDisruptionBudget": None}},
        "'/controller': missing property 'podDisruptionBudget'",
    ),
    "an account taken away": (
        {"controller": {"serviceAccount": None}},
        "'/controller': missing property 'serviceAccount'",
    ),
    "a short digest": ({"image": {"digest": "sha256:12"}}, "'/image/digest': 'sha256:12' does not match pattern"),
}


@pytest.mark.parametrize(("values", "word"), BY_SCHEMA.values(), ids=BY_SCHEMA)
def test_a_wrong_value_is_refused_with_its_field_and_what_was_expected(
    helm: Helm, values: dict[str, Any], word: str
) -> None:
    assert word in helm.refusal(values)


def test_no_value_can_be_taken_away_unless_nothing_stands_for_it() -> None:
    """A null takes a default away before the schema is asked: templates read what is there."""
    schema = json.loads((CHART / "values.schema.json").read_text())

    def walk(path: str, values: dict[str, Any], rules: dict[str, Any]) -> None:
        known = rules.get("properties", {})
        for name, value in values.items() if rules.get("additionalProperties") is False else ():
            rule = known[name]
            nothing = value is None or rule in (True, {"$ref": "#/$defs/noObjectName"})
            assert nothing or name in rules["required"], f"{path}{name}"
            if isinstance(value, dict) and name != "resources":
                walk(f"{path}{name}.", value, rule)

    walk("", yaml.safe_load((CHART / "values.yaml").read_text()), schema)


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
    "an account that nobody makes": (
        {
            "workerNamespaces": [{"name": "team-a"}],
            "stores": [{**STORE, "credentials": {"serviceAccountName": "w2s-workr"}}],
        },
        'stores[0].credentials.serviceAccountName: "w2s-workr"; expected "w2s-worker"',
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
    "in a URL without a scheme": {
        "stores": [{**STORE, "settings": {"uri": "s3://bucket", "endpoint": f"me:{KEY}@s3"}}]
    },
    "in a bucket's URI": {"stores": [{**STORE, "settings": {"uri": f"https://me:{KEY}@bucket"}}]},
    "in a variable's name": {"controller": {"env": [{"name": f"HTTPS_PROXY=me:{KEY}@proxy", "value": ""}]}},
    "in a proxy's address": {"controller": {"env": [{"name": "HTTPS_PROXY", "value": f"me:{KEY}@proxy:3128"}]}},
    "as a user": {"controller": {"env": [{"name": "AWS_ENDPOINT_URL_STS", "value": f"https://{KEY}@sts"}]}},
    "in a proxy's URL": {"controller": {"env": [{"name": "HTTPS_PROXY", "value": f"http://me:{KEY}@proxy"}]}},
}


@pytest.mark.parametrize("values", SECRETS.values(), ids=SECRETS)
def test_a_secret_among_the_values_is_refused_and_not_repeated(helm: Helm, values: dict[str, Any]) -> None:
    said = helm.refusal(values)
    assert "Secret" in said
    assert "secretName" in said
    assert KEY not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/token"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("MONKEYS", "2"),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/me@here"),
        ("HTTPS_ENDPOINT", "https://s3.example.com:9000"),
    ],
)
def test_what_only_looks_like_a_secret_is_taken(helm: Helm, name: str, value: str) -> None:
    assert helm.objects({"controller": {"env": [{"name": name, "value": value}]}})


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "WANDB_API_KEY", "APIKEY", "HF_TOKEN", "token", "PGPASSWORD"])
def test_a_secret_is_known_by_its_variables_name(helm: Helm, name: str) -> None:
    said = helm.refusal({"controller": {"env": [{"name": name, "value": KEY}]}})
    assert f'controller.env[0].name: "{name}" is the name of a secret' in said


def test_stores_may_name_accounts_that_somebody_else_makes(helm: Helm) -> None:
    stores = [{**STORE, "credentials": {"serviceAccountName": "mine"}}]
    assert helm.objects({"stores": stores})
    assert helm.objects(
        {"stores": stores, "workerNamespaces": [{"name": "team-a"}], "workerServiceAccount": {"create": False}}
    )


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
