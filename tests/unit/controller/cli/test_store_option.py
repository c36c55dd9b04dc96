"""Where artifacts lie, for a command on this machine."""

import pytest
import yaml

from controller.api.parse import parse_manifest
from controller.api.v1alpha1 import WeakToStrongExperiment
from controller.cli.store_option import choose_store
from controller.errors import W2sError
from tests.unit.controller.conftest import TINY


def experiment(storage: dict[str, str]) -> WeakToStrongExperiment:
    value = yaml.safe_load(TINY)
    value["spec"]["storage"] = storage
    return parse_manifest(yaml.safe_dump(value), "FILE")


def test_a_store_that_only_a_cluster_knows_is_asked_for() -> None:
    with pytest.raises(W2sError, match=r"'main' is a store of a cluster.*--store"):
        choose_store(None, experiment({"name": "main"}))


def test_the_option_wins_over_the_name_of_a_store() -> None:
    assert choose_store("s3://bucket/here", experiment({"name": "main"})).uri == "s3://bucket/here"


def test_endpoint_and_region_of_the_manifest_hold_for_the_option_too() -> None:
    declared = experiment({"uri": "s3://bucket/a", "endpoint": "http://localhost:1", "region": "here"})
    assert choose_store(None, declared).region == "here"
    chosen = choose_store("s3://bucket/b", declared)
    assert (chosen.uri, chosen.endpoint, chosen.region) == ("s3://bucket/b", "http://localhost:1", "here")
