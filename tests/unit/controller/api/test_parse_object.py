"""Objects as the API server returns them: metadata and status of its own, and no lines."""

import json
from typing import Any

import pytest
import yaml

from controller.api.parse import parse_manifest, parse_object
from controller.errors import InvalidExperiment
from tests.unit.controller.conftest import REWARD, TINY


def from_server(text: str) -> dict[str, Any]:
    obj: dict[str, Any] = yaml.safe_load(text)
    obj["metadata"] |= {
        "namespace": "team",
        "uid": "8f5b1c1e-0000-4000-8000-000000000000",
        "resourceVersion": "17",
        "generation": 2,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {f"label-{n}": "x" for n in range(100)},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "x" * 200_000},
        "managedFields": [{"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:spec": {}}}],
        "ownerReferences": [],
        "finalizers": [],
    }
    obj["status"] = {"conditions": [], "something": "older"}
    return obj


@pytest.mark.parametrize("text", [TINY, REWARD], ids=["confidence", "reward"])
def test_metadata_and_status_of_the_server_are_ignored(text: str) -> None:
    experiment = parse_object(from_server(text))
    assert experiment.spec == parse_manifest(text, "FILE").spec
    assert experiment.metadata.namespace == "team"


def test_a_broken_rule_is_said_with_its_path() -> None:
    obj = from_server(TINY)
    obj["spec"]["method"]["confidence"]["rounds"][0]["thresholds"] = [70, 50]
    with pytest.raises(InvalidExperiment) as refused:
        parse_object(obj)
    (problem,) = refused.value.problems
    assert problem.startswith("spec.method.confidence.rounds[0].thresholds[1]: 50 comes after 70")
    assert refused.value.source == "WeakToStrongExperiment tiny"


def test_a_wrong_field_is_said_with_its_path() -> None:
    obj = from_server(TINY)
    obj["spec"]["training"] = {"epoch": 2}
    with pytest.raises(InvalidExperiment, match=r"spec\.training\.epoch: unknown field\. Did you mean 'epochs'"):
        parse_object(obj)


def test_an_object_without_a_spec_is_said_in_words() -> None:
    with pytest.raises(InvalidExperiment, match="spec: missing"):
        parse_object({"kind": "WeakToStrongExperiment", "apiVersion": "w2s.dev/v1alpha1", "metadata": {"name": "x"}})


def test_a_local_path_is_refused_and_told_what_to_write_instead() -> None:
    obj = from_server(TINY)
    obj["spec"]["dataset"]["source"] = {"path": "data/questions"}
    obj["spec"]["models"]["strong"]["source"] = {"path": "/models/strong"}
    with pytest.raises(InvalidExperiment) as refused:
        parse_object(obj)
    dataset, model = refused.value.problems
    assert dataset.startswith("spec.dataset.source.path: 'data/questions' is a folder of one machine")
    assert "hub dataset" in dataset
    assert model.startswith("spec.models.strong.source.path: '/models/strong' is a folder of one machine")


def test_a_local_path_of_a_capability_is_refused_at_its_place() -> None:
    obj = from_server(REWARD)
    obj["spec"]["capabilities"][1]["dataset"]["source"] = {"path": "data"}
    with pytest.raises(InvalidExperiment, match=r"spec\.capabilities\[1\]\.dataset\.source\.path: 'data'"):
        parse_object(obj)


def test_a_null_that_kubectl_dropped_is_not_taken_for_zero() -> None:
    obj = from_server(TINY)
    written = {"spec": {"dataset": {"splits": {"extraTest": None}}}}
    obj["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = json.dumps(written)
    with pytest.raises(InvalidExperiment, match=r"spec\.dataset\.splits\.extraTest: null is written"):
        parse_object(obj)
    obj["spec"]["dataset"]["splits"]["extraTest"] = 20
    assert parse_object(obj).spec.dataset.splits.extra_test == 20
