"""Every manifest of examples/ compiles."""

from pathlib import Path

import pytest

from controller.api.parse import parse_manifest
from controller.plan.compile import compile_plan
from controller.plan.estimate import estimate

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.yaml"))


@pytest.mark.parametrize("manifest", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_compiles(manifest: Path) -> None:
    experiment = parse_manifest(manifest.read_text(), manifest.name)
    plan = compile_plan(experiment)  # local paths are not pinned here: what they name is made before a run
    assert not estimate(plan, experiment.spec).warnings
