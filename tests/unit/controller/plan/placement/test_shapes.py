"""Shapes of models by name, by size and from scratch."""

from __future__ import annotations

import pytest

from controller.plan.placement.shapes import FAMILIES, shape_of, shape_of_size
from w2s_jobs.contracts.settings import HubLocation, ModelSource, ScratchModel

PUBLISHED = {
    "deepseek-llm-7b": 6.91,
    "deepseek-llm-67b": 67.4,
    "llama-2-7b": 6.74,
    "llama-2-13b": 13.0,
    "llama-2-70b": 69.0,
    "llama-3-8b": 8.03,
    "llama-3-70b": 70.6,
    "llama-3.1-8b": 8.03,
    "llama-3.1-70b": 70.6,
    "llama-3.2-1b": 1.24,
    "llama-3.2-3b": 3.21,
    "llama-3.3-70b": 70.6,
    "mistral-7b": 7.24,
    "qwen1.5-0.5b": 0.464,
    "qwen1.5-1.8b": 1.84,
    "qwen1.5-4b": 3.95,
    "qwen1.5-7b": 7.72,
    "qwen1.5-14b": 14.2,
    "qwen1.5-32b": 32.5,
    "qwen1.5-72b": 72.3,
    "qwen2-0.5b": 0.494,
    "qwen2-1.5b": 1.54,
    "qwen2-7b": 7.62,
    "qwen2-72b": 72.7,
    "qwen2.5-0.5b": 0.494,
    "qwen2.5-1.5b": 1.54,
    "qwen2.5-3b": 3.09,
    "qwen2.5-7b": 7.62,
    "qwen2.5-14b": 14.8,
    "qwen2.5-32b": 32.8,
    "qwen2.5-72b": 72.7,
    "qwen3-0.6b": 0.596,
    "qwen3-1.7b": 1.72,
    "qwen3-4b": 4.02,
    "qwen3-8b": 8.19,
    "qwen3-14b": 14.8,
    "qwen3-32b": 32.8,
    "smollm2-135m": 0.135,
    "smollm2-360m": 0.362,
    "smollm2-1.7b": 1.71,
}
"""Parameters in billions as the hub shows them (the sum over the repository's safetensors)."""


def hub(name: str) -> ModelSource:
    return ModelSource(hub=HubLocation(name=name, revision="0123456789"))


def test_every_family_has_its_published_number_of_parameters() -> None:
    assert FAMILIES.keys() == PUBLISHED.keys()
    for name, shape in FAMILIES.items():
        assert shape.parameters / 1e9 == pytest.approx(PUBLISHED[name], rel=0.01), name


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Qwen/Qwen1.5-0.5B-Chat", "qwen1.5-0.5b"),
        ("meta-llama/Meta-Llama-3-8B-Instruct", "llama-3-8b"),
        ("meta-llama/Llama-3.1-8B", "llama-3.1-8b"),
        ("Qwen/Qwen2.5-72B", "qwen2.5-72b"),
        ("Qwen/Qwen2.5-Math-7B-Instruct", "qwen2.5-7b"),
        ("meta-llama/Llama-2-7b-hf", "llama-2-7b"),
    ],
)
def test_a_name_on_the_hub_tells_the_shape(name: str, family: str) -> None:
    assert shape_of(hub(name), None) == FAMILIES[family]


def test_a_number_that_contradicts_the_name_wins() -> None:
    assert shape_of(hub("org/Qwen2.5-7B-pruned"), 5e9) == shape_of_size(5e9)
    assert shape_of(hub("org/Qwen2.5-7B-pruned"), 7.5e9) == FAMILIES["qwen2.5-7b"]


def test_a_name_that_tells_nothing_needs_a_number() -> None:
    assert shape_of(hub("org/mystery"), None) is None
    assert shape_of(hub("org/mystery"), 8e9).known is False


def test_a_number_inside_another_is_no_name() -> None:
    assert shape_of(hub("org/qwen2.5-7bx"), None) is None
    assert shape_of(hub("org/myqwen2.5-7b"), None) is None


@pytest.mark.parametrize("size", [1e7, 1.3e8, 1e9, 3e9, 13e9, 34e9, 180e9, 405e9])
def test_an_estimated_shape_has_about_the_size_it_was_made_for(size: float) -> None:
    shape = shape_of_size(size)
    assert shape.parameters == pytest.approx(size, rel=0.15) or shape.layers == 1


def test_a_model_from_scratch_is_known_exactly() -> None:
    scratch = ScratchModel(hidden_size=64, layers=2, heads=4, intermediate_size=128, vocab_size=300)
    shape = shape_of(ModelSource(scratch=scratch), None)
    assert shape.known
    assert (shape.layers, shape.heads, shape.kv_heads, shape.positions) == (2, 4, 4, 512)
    assert shape.parameters == 2 * (4 * 64 * 64 + 3 * 64 * 128) + 2 * 300 * 64
