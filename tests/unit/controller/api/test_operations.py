"""How and where an experiment runs is no part of what it computes."""

import pytest
import yaml

from controller.api.operations import Operations
from controller.api.parse import parse_manifest
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
