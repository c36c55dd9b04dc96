"""Bytes as Kubernetes writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.plan.jobs.quantity import parse_bytes, render_bytes


@pytest.mark.parametrize(
    ("quantity", "size"),
    [("1000", 1000), ("1k", 1000), ("64Gi", 64 * 2**30), ("1.5Gi", 3 * 2**29), ("500M", 5 * 10**8), (".1", 1)],
)
def test_a_quantity_is_its_bytes(quantity: str, size: int) -> None:
    assert parse_bytes(quantity) == size


@pytest.mark.parametrize("quantity", ["", "64GB", "-1Gi", "1e3", "Gi", "1 Gi", "100m"])
def test_other_texts_are_refused(quantity: str) -> None:
    with pytest.raises(ValueError, match="no quantity of bytes"):
        parse_bytes(quantity)


@given(st.integers(0, 2**70))
def test_what_is_rendered_reads_the_same(size: int) -> None:
    assert parse_bytes(render_bytes(size)) == size
