"""Whatever a manifest says, it is parsed and compiles, or is refused with reasons: never a traceback."""

import copy
import random
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from controller.api.document import render_path
from controller.api.parse import parse_manifest
from controller.api.problems import _PATTERNS
from controller.api.reward import RewardMethod
from controller.api.v1alpha1 import WeakToStrongExperiment
from controller.errors import InvalidExperiment
from controller.plan.compile import compile_plan
from tests.unit.controller.conftest import REWARD, TINY

ALL_FIELDS = """
pairs: [{weak: 0.5b, strong: 1.8b}, {weak: 1.8b, strong: 4b}]
weakTraining: {epochs: 1}
rewardModel: {loss: logistic, perCapability: false, cutoff: 0.5, training: {epochs: 1}}
selections: [reward, random, confidence, both]
confidenceThreshold: 60
baselines: [weak, ceiling, wts]
ablations: [wts-single, wts-2, mixed, clean, no-warm-up, in-context]
noise: [20, 40]
weakened: [[gsm8k], [sciq, scan]]
removed: [[gsm8k], [sciq, scan]]
shots: 3
"""
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    3,
    101,
    0.5,
    float("nan"),
    float("inf"),
    10**30,
    "",
    "gsm8k",
    "0.5b",
    "1.8b",
    "reward",
    "{question}",
    "a\nb",
    "ä" * 300,
    [],
    [[]],
    ["gsm8k", "gsm8k"],
    [["sciq"], ["sciq"]],
    [40, 20],
    {},
    {"weak": "4b", "strong": "0.5b"},
    {"name": "direct"},
    {"family": "scan"},
    {"generated": True},
)


def full_manifest() -> dict[str, Any]:
    manifest = yaml.safe_load(REWARD)
    manifest["spec"]["method"]["reward"] = yaml.safe_load(ALL_FIELDS)
    return manifest


def every_place(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from every_place(inner, (*path, key))


def the_container(manifest: Any, path: tuple[Any, ...]) -> Any:
    for part in path[:-1]:
        manifest = manifest[part]
    return manifest


def try_out(manifest: Any) -> str | None:
    """Parse and compile; return the refusal if there is one."""
    refusal = None
    try:
        compile_plan(parse_manifest(yaml.safe_dump(manifest, allow_unicode=True), "FILE"))
    except InvalidExperiment as refused:
        refusal = str(refused)
    if refusal is not None:
        assert refusal, "an empty refusal"
        assert all(line.startswith("FILE: ") for line in refusal.splitlines()), refusal
    return refusal


PLACES = tuple(every_place(full_manifest()))


def test_the_manifest_with_every_field_compiles() -> None:
    assert try_out(full_manifest()) is None
    fields = {field.alias or name for name, field in RewardMethod.model_fields.items()}
    assert set(full_manifest()["spec"]["method"]["reward"]) == fields


@pytest.mark.parametrize("place", [p for p in PLACES if 1 not in p and 2 not in p], ids=render_path)
def test_a_manifest_without_any_one_of_its_fields_compiles_or_is_refused(place: tuple[Any, ...]) -> None:
    manifest = full_manifest()
    del the_container(manifest, place)[place[-1]]
    try_out(manifest)


@settings(max_examples=150)
@given(place=st.sampled_from(PLACES), value=st.sampled_from(VALUES))
def test_a_manifest_with_any_one_field_set_to_anything_compiles_or_is_refused(
    place: tuple[Any, ...], value: Any
) -> None:
    manifest = full_manifest()
    the_container(manifest, place)[place[-1]] = copy.deepcopy(value)
    try_out(manifest)


@settings(max_examples=100)
@given(source=st.randoms(use_true_random=False), changes=st.integers(2, 8))
def test_a_manifest_with_many_things_wrong_compiles_or_is_refused(source: random.Random, changes: int) -> None:
    manifest = full_manifest()
    for _ in range(changes):
        place = source.choice(list(every_place(manifest)))
        container = the_container(manifest, place)
        if source.random() < 0.5:
            del container[place[-1]]
        else:
            # A copy: a later change may fall into it, and the next example starts from the same values.
            container[place[-1]] = copy.deepcopy(source.choice(VALUES))
        if not manifest:
            break
    try_out(manifest)


@pytest.mark.parametrize("with_models", ["chain", "weak and strong"])
@pytest.mark.parametrize("with_tasks", ["capabilities", "one task"])
@pytest.mark.parametrize("method", ["confidence", "reward"])
def test_every_mixture_of_the_two_methods_fields_compiles_or_is_refused(
    with_models: str, with_tasks: str, method: str
) -> None:
    tiny, several = yaml.safe_load(TINY)["spec"], yaml.safe_load(REWARD)["spec"]
    models = several["models"] if with_models == "chain" else tiny["models"]
    tasks = {"capabilities": several["capabilities"]}
    if with_tasks == "one task":
        tasks = {"task": tiny["task"], "dataset": tiny["dataset"]}
    methods = tiny["method"] if method == "confidence" else several["method"]
    manifest = {**yaml.safe_load(TINY), "spec": {**tasks, "models": models, "method": methods}}
    allowed = {
        "confidence": with_models != "chain" and with_tasks == "one task",
        "reward": with_models == "chain",
    }
    assert (try_out(manifest) is None) == allowed[method]


def test_every_pattern_of_the_manifest_is_said_in_words() -> None:
    patterns = set(_patterns_in(WeakToStrongExperiment, set()))
    assert patterns <= _PATTERNS.keys()
    assert len(patterns) >= 5


def _patterns_in(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    if model in seen:
        return
    seen.add(model)
    for field in model.model_fields.values():
        for metadata in field.metadata:
            pattern = getattr(metadata, "pattern", None)
            if pattern is not None:
                yield pattern
        for inner in _models_in(field.annotation):
            yield from _patterns_in(inner, seen)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]
