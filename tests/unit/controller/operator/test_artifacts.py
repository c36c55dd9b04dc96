"""What the controller asks a store, and what it spares it."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.api.parse import parse_manifest
from controller.operator.artifacts import Artifacts
from controller.plan.compile import compile_plan
from w2s_jobs.contracts.artifact import ArtifactRef, StepResult
from w2s_jobs.contracts.errors import DependencyError
from w2s_jobs.store.folder import FolderStore

MANIFEST = Path(__file__).parents[3] / "e2e" / "tiny.yaml"
PLAN = compile_plan(parse_manifest(MANIFEST.read_text(), "tiny"))


class Flaky(FolderStore):
    """A real store that can be told not to answer."""

    answers = True
    asked = 0

    def read_result(self, ref: ArtifactRef) -> StepResult | None:
        self.asked += 1
        if not self.answers:
            raise DependencyError("nobody answers")
        return super().read_result(ref)


def test_a_store_that_does_not_answer_is_left_alone_for_a_while(tmp_path: Path) -> None:
    now, store = [0.0], Flaky(tmp_path)
    artifacts = Artifacts(store, tmp_path.as_uri(), lambda: now[0])
    step = PLAN.steps[0]
    store.answers = False
    for _ in range(5):
        with pytest.raises(DependencyError, match="nobody answers"):
            artifacts.refresh([step])
    assert store.asked == 1
    assert artifacts.progress([step]) == {}
    store.answers, now[0] = True, 11.0
    artifacts.refresh([step])
    artifacts.refresh([step])
    assert store.asked == 3
