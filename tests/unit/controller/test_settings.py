"""What an installation may say: each thing is refused where it is written, before any Job is made of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from controller.api.problems import _PATTERNS
from controller.plan.jobs.quantity import parse_bytes
from controller.settings import Installation, Quantity
from tests.unit.controller.api.test_broken_manifests import _patterns_in

A_STORE = {"name": "main", "settings": {"uri": "s3://artifacts"}}
ANOTHER = {"name": "other", "settings": {"uri": "s3://elsewhere"}}


def refusal(**content: Any) -> dict[tuple[int | str, ...], str]:
    with pytest.raises(ValidationError) as refused:
        Installation.model_validate(content, by_alias=True, by_name=False)
    return {error["loc"]: error["msg"] for error in refused.value.errors()}


@pytest.mark.parametrize("field", ["scratch", "memory", "sharedMemory"])
@pytest.mark.parametrize("value", ["64GB", "20 Gi", "-1Gi", "lots", "", "1.2.3Gi"])
def test_an_amount_of_a_worker_is_a_quantity_of_bytes(field: str, value: str) -> None:
    assert refusal(workers={field: value}).keys() == {("workers", field)}


def test_the_memory_of_a_gpus_share_is_a_quantity_of_bytes() -> None:
    assert refusal(pools=[{"name": "h100", "memoryPerGpu": "64 GB"}]).keys() == {("pools", 0, "memoryPerGpu")}


@given(st.text("0123456789.kKMGTPEimb -", max_size=8))
def test_what_is_taken_for_a_quantity_is_one(text: str) -> None:
    try:
        TypeAdapter(Quantity).validate_python(text)
    except ValidationError:
        with pytest.raises(ValueError, match="no quantity of bytes"):
            parse_bytes(text)
    else:
        assert parse_bytes(text) >= 0


def test_two_stores_or_pools_of_one_name_are_refused() -> None:
    again = {**ANOTHER, "name": "main"}
    assert "'main' is given to stores[0] and stores[1]" in refusal(stores=[A_STORE, again])[("stores",)]
    assert "'a' is given to pools[0] and pools[2]" in refusal(pools=[{"name": name} for name in "aba"])[("pools",)]


def test_the_default_store_is_one_of_the_stores() -> None:
    found = refusal(stores=[A_STORE, ANOTHER], defaultStore="mian")
    assert "'mian' is no store of this installation; expected one of main, other" in found[("defaultStore",)]
    assert "expected one of the stores, of which there are none" in refusal(defaultStore="main")[("defaultStore",)]
    assert Installation.model_validate({"stores": [A_STORE], "defaultStore": "main"}).default_store == "main"


def test_a_broken_store_is_not_also_called_a_missing_one() -> None:
    assert refusal(stores=[{"name": "main"}], defaultStore="main").keys() == {("stores", 0, "settings")}


def test_every_pattern_of_an_installation_is_said_in_words() -> None:
    assert set(_patterns_in(Installation, set())) <= _PATTERNS.keys()
