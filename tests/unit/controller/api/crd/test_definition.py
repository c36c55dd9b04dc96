"""The CustomResourceDefinition by itself: what an API server would refuse, and what it should never have to guess."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pydantic import Field

from controller.api.crd.definition import build_definition
from controller.api.crd.rules.table import RULES
from controller.api.crd.schema import structural_schema
from controller.api.crd.text import render_definition
from controller.api.reasons import ConditionType
from w2s_jobs.contracts.model import Contract

VERSION = build_definition()["spec"]["versions"][0]
SCHEMA = VERSION["schema"]["openAPIV3Schema"]
YAML_1_1_BOOLEANS = {"y", "yes", "n", "no", "true", "false", "on", "off"}  # https://yaml.org/type/bool.html
NOT_STRUCTURAL = {"$ref", "$defs", "anyOf", "allOf", "oneOf", "const", "title", "discriminator", "prefixItems"}


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}" if path else name)
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if key in schema:
            yield from nodes(schema[key], path + mark)


SPEC = [(path, node) for path, node in nodes(SCHEMA) if path.startswith(("spec", "status"))]


def test_every_place_has_one_type_and_nothing_that_is_not_structural() -> None:
    for path, node in nodes(SCHEMA):
        assert isinstance(node.get("type"), str) or node.get("x-kubernetes-preserve-unknown-fields"), path
        assert not NOT_STRUCTURAL & node.keys(), path
        assert node.get("exclusiveMinimum", True) is True, path
        assert node.get("exclusiveMaximum", True) is True, path


def test_every_list_has_a_most_and_a_way_to_be_merged() -> None:
    for path, node in SPEC:
        if node["type"] == "array":
            assert node.get("maxItems"), path
            assert node["x-kubernetes-list-type"] in ("atomic", "set", "map"), path


def test_every_text_has_a_most() -> None:
    for path, node in SPEC:
        if node["type"] == "string":
            assert "maxLength" in node or "enum" in node, path


def test_every_whole_number_of_the_spec_has_bounds() -> None:
    for path, node in SPEC:
        if node["type"] == "integer" and path.startswith("spec"):
            assert {"minimum", "maximum"} <= node.keys(), path


def test_every_field_is_described() -> None:
    for path, node in SPEC:
        if not path.endswith(("[]", "{}")):
            assert node.get("description"), path


def test_every_rule_stands_somewhere_and_points_at_a_field_that_exists() -> None:
    written = [rule for _, node in nodes(SCHEMA) for rule in node.get("x-kubernetes-validations", [])]
    for rule in RULES:
        assert (rule.to_whole() if rule.of_spec else rule.to_schema()) in written
    for path, node in nodes(SCHEMA):
        for rule in node.get("x-kubernetes-validations", []):
            field = node
            for name in rule.get("fieldPath", "").split(".")[1:]:
                assert name in field["properties"], f"{path}: {rule['fieldPath']}"
                field = field["properties"][name]


def test_no_field_has_a_name_that_kubectl_reads_as_a_boolean() -> None:
    for path, node in SPEC:
        assert not {name.lower() for name in node.get("properties", {})} & YAML_1_1_BOOLEANS, path


def test_the_text_reads_as_what_it_was_made_of() -> None:
    assert yaml.safe_load(render_definition()) == build_definition()
    assert "&id" not in render_definition()


def test_columns_show_what_the_status_has() -> None:
    columns = {column["name"]: column["jsonPath"] for column in VERSION["additionalPrinterColumns"]}
    assert list(columns) == ["Ready", "Progress", "PGR", "Reason", "Age"]
    status = SCHEMA["properties"]["status"]["properties"]
    assert columns["Progress"] == ".status.progress"
    assert "progress" in status
    assert columns["PGR"] == ".status.results.bestPgr"
    assert "bestPgr" in status["results"]["properties"]
    assert f"'{ConditionType.READY}'" in columns["Ready"]


def test_defaults_are_those_of_the_types() -> None:
    spec = SCHEMA["properties"]["spec"]["properties"]
    assert spec["sampling"]["default"]["topP"] == 0.9
    assert spec["sampling"]["properties"]["topP"]["default"] == 0.9
    assert spec["models"]["properties"]["weak"]["properties"]["template"]["default"] == {"chat": False, "name": "chat"}
    assert "default" not in spec["method"]["properties"]["reward"]
    assert "default" not in spec["podTemplate"]


def test_null_is_kept_where_it_means_something_else_than_the_default() -> None:
    splits = SCHEMA["properties"]["spec"]["properties"]["dataset"]["properties"]["splits"]["properties"]
    assert splits["extraTest"]["nullable"] is True
    assert splits["extraTest"]["default"] == 0
    assert "nullable" not in splits["labelled"]


def test_a_union_of_two_types_is_refused_and_names_the_field() -> None:
    class Unclear(Contract):
        """Two types at one place."""

        size: int | str = Field(default=1)
        """size in either"""

    with pytest.raises(ValueError, match="size in either"):
        structural_schema(Unclear, lambda _, schema: schema)
