from __future__ import annotations

import functools
from pathlib import Path

import pytest

from tests.support.report_files import DESIGNS, Reports, run_spec
from tests.support.report_rows import write_report_store
from tests.support.steps import Bench
from tests.support.survey_files import run_survey, write_survey


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """Reports of the designs, each made once."""

    @functools.cache
    def made(name: str) -> dict[str, Path]:
        root = tmp_path_factory.mktemp("report")
        return run_spec(root, write_report_store(root, DESIGNS[name]))

    return made


@pytest.fixture(scope="session")
def surveys(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """Surveys of made-up experiments, each made once."""

    @functools.cache
    def made(name: str) -> dict[str, Path]:
        root = tmp_path_factory.mktemp("survey")
        return run_survey(root, write_survey(root, name))

    return made
