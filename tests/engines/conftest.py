"""A tiny model to sample from, and a bench for steps; tests that train have their own of both."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.sampling import make_sampler
from tests.support.steps import Bench


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sampler(tmp_path_factory.mktemp("model"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
