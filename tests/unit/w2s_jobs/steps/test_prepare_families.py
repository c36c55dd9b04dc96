"""A manifest for each family compiles, and its prepare steps run on the real files; one file can serve every split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.cli.experiment_file import load_experiment
from controller.plan.compile import compile_plan
from tests.support.steps import Bench
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.steps import PrepareParams

TINY = Path(__file__).parents[3] / "e2e" / "tiny.yaml"
SOURCES: dict[str, dict[str, str]] = {
    "gsm8k": {"path": "gsm8k", "train": "train.jsonl", "test": "test.jsonl"},
    "math": {"path": "math", "pool": "math500.head300.jsonl"},
    "scan": {"path": "scan", "pool": "all"},
    "commonsenseqa": {"path": "commonsenseqa"},
    "creak": {"path": "creak"},
    "ecqa": {"path": "ecqa", "train": "cqa_data_val.csv", "test": "cqa_data_test.head700.csv"},
    "esnli": {"path": "esnli"},
    "mctaco": {"path": "mctaco", "pool": "dev_3783.tsv"},
    "openbookqa": {"path": "openbookqa"},
    "sciq": {"path": "sciq", "pool": "joined_test.head500.jsonl"},
}
