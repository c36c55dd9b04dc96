"""How and where an experiment runs is no part of what it computes."""

import pytest
import yaml

from controller.api.operations import Operations
from controller.api.parse import parse_manifest, parse_object
from controller.errors import InvalidExperiment
from controller.plan.compile import compile_plan
from tests.unit.controller.conftest import TINY

EVERYTHING = {
    "pools": [{"name": "h100", "gpu": "H100-80GB", "gpusPerNode": 8}],
    "placement": {"weakSampling": {"pool": "h100", "gpus": 2}},
    "storage": {"name": "main"},
    "suspend": True,
    "priorityClassName": "batch.low",
    "queue": "team-a",
    "maxParallelSteps": 4,
    "activeDeadlineSeconds": 3600,
    "ttlSecondsAfterFinished": 0,
    "image": "registry.example/w2s:1",
    "podTemplate": {
        "metadata": {"labels": {"team": "a"}, "annotations": {"note": "long"}},
        "spec": {"nodeSelector": {"zone": "a"}, "tolerations": [{"operator": "Exists"}], "hostIPC": False},
    },
}


def manifest(**spec: object) -> str:
    value = yaml.safe_load(TINY)
    value["spec"] |= spec
    return yaml.safe_dump(value)


def test_no_way_to_run_changes_a_key_or_the_report() -> None:
    assert EVERYTHING.keys() == {field.alias for field in Operations.model_fields.values()}
    plain = compile_plan(parse_manifest(TINY, "FILE"))
    placed = compile_plan(parse_manifest(manifest(**EVERYTHING), "FILE"))
    assert [step.key for step in placed.steps] == [step.key for step in plain.steps]
    assert placed.report == plain.report


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("storage", {"name": "a", "uri": "s3://b/c"}, "exactly one of name, uri must be set; got name and uri"),
        ("storage", {"region": "x"}, "exactly one of name, uri must be set; got none"),
        ("storage", {"name": "a", "endpoint": "http://s3"}, "has its own endpoint and region"),
        ("priorityClassName", "High", "the name of an object on the cluster"),
        ("queue", "team_a", "the name of an object on the cluster"),
        ("maxParallelSteps", 0, "expected at least 1"),
        ("activeDeadlineSeconds", -1, "expected at least 1"),
        ("ttlSecondsAfterFinished", -1, "expected at least 0"),
        ("image", "", "expected at least 1"),
        ("podTemplate", {"containers": []}, "Known fields here: metadata, spec"),
    ],
)
def test_a_wrong_way_to_run_is_refused_with_words(field: str, value: object, said: str) -> None:
    with pytest.raises(InvalidExperiment) as refused:
        parse_manifest(manifest(**{field: value}), "FILE")
    assert f"spec.{field}" in str(refused.value)
    assert said in str(refused.value)


def variables(*env: object) -> dict[str, object]:
    return {"podTemplate": {"spec": {"containers": [{"name": "worker", "env": list(env)}]}}}


SECRET = "hunter2-Zm9vYmFy"
"""no key of anybody"""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_ACCESS_KEY_ID", SECRET),
        ("AWS_SESSION_TOKEN", SECRET),
        ("HF_TOKEN", SECRET),
        ("hf_token", SECRET),
        ("WANDB_API_KEY", SECRET),
        ("TOKEN", SECRET),
        ("CLIENTSECRET", SECRET),
        ("DB_PASSWORD", SECRET),
        ("HTTPS_PROXY", f"http://me:{SECRET}@proxy.example.com:3128"),
        ("MLFLOW_TRACKING_URI", f"postgresql://:{SECRET}@db/runs"),
    ],
)
def test_a_key_in_clear_is_refused_before_it_is_anywhere_and_never_repeated(name: str, value: str) -> None:
    text = manifest(**variables({"name": "LANG", "value": "C"}, {"name": name, "value": value}))
    with pytest.raises(InvalidExperiment) as refused:
        parse_manifest(text, "FILE")
    (problem,) = refused.value.problems
    assert "spec.podTemplate.spec.containers[0].env[1].value" in problem
    assert name in problem
    assert "secretKeyRef" in problem
    assert "envFrom" in problem
    assert SECRET not in str(refused.value)
    with pytest.raises(InvalidExperiment, match="secretKeyRef") as on_cluster:
        parse_object(yaml.safe_load(text))
    assert SECRET not in str(on_cluster.value)


@pytest.mark.parametrize(
    "variable",
    [
        {"name": "TOKENIZERS_PARALLELISM", "value": "false"},
        {"name": "MAX_TOKENS", "value": "4096"},
        {"name": "HF_HUB_DISABLE_IMPLICIT_TOKEN", "value": "1"},
        {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/var/run/secrets/token"},
        {"name": "MONKEY", "value": "see"},
        {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}},
        {"name": "HF_TOKEN", "value": "$(HUB)"},
        {"name": "HTTPS_PROXY", "value": "http://$(USER):$(PW)@proxy.example.com:3128"},
        {"name": "HTTPS_PROXY", "value": "http://proxy.example.com:3128"},
        {"name": "NO_PROXY", "value": "a:1,b@c"},
    ],
)
def test_what_is_no_key_may_be_given(variable: object) -> None:
    parse_manifest(manifest(**variables(variable)), "FILE")
