"""A small training as a step: examples in a folder store, a model from scratch, a process that runs it."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from w2s_jobs.__main__ import main
from w2s_jobs.contracts.artifact import ArtifactRef, Input, StepResult
from w2s_jobs.contracts.settings import (
    ModelSource,
    Parallelism,
    PromptTemplate,
    ScratchModel,
    TrainingSettings,
)
from w2s_jobs.contracts.step_params import TrainParams
from w2s_jobs.contracts.steps import Execution, StepSpec, StoreSettings
from w2s_jobs.store.folder import FolderStore
from w2s_jobs.store.rows import write_rows

TINY = ScratchModel(hidden_size=32, layers=2, heads=2, intermediate_size=64, vocab_size=320, max_positions=128)


def sayings(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Examples of a task that a tiny model learns: repeat the words of the question, shortest first."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        words = [chance.choice(["jump", "walk", "look", "run"]) for _ in range(chance.randint(1, 9))]
        said = " ".join(word.upper() for word in words)
        rows.append(
            {
                "row_id": f"row-{number:04d}",
                "question": " ".join(words),
                "completion": f"I say {said} #### {len(words)}",
                "answer": str(len(words)),
                "confidence_count": None,
                "confidence_total": None,
            }
        )
    return rows


@dataclass
class TrainingBench:
    """A store with examples, and training steps over them."""

    root: Path
    inputs: list[Input] = field(default_factory=list)

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.root / "store")

    def add_examples(self, rows: list[dict[str, Any]]) -> Input:
        key = hashlib.sha256(f"examples {len(self.inputs)}".encode()).hexdigest()
        ref = ArtifactRef(kind="select", key=key)
        file = write_rows(self.root / f"{key}.parquet", "examples", rows)
        entry = self.store.put(ref, "1", "kept.parquet", file)
        self.store.write_result(StepResult(kind="select", key=key, attempt="1", spec={}, files=(entry,)))
        self.inputs.append(Input(kind="select", key=key, file="kept.parquet"))
        return self.inputs[-1]

    def spec(
        self,
        name: str,
        training: TrainingSettings,
        parallelism: Parallelism | None = None,
        checkpoint_seconds: float = 300,
        **params: Any,
    ) -> StepSpec:
        """A train step; `name` stands for its key, so two names are two artifacts."""
        chosen = {
            "model": ModelSource(scratch=TINY),
            "template": PromptTemplate(name="direct"),
            "training": training,
            "seed": 5,
        } | params
        return StepSpec(
            kind="train",
            key=hashlib.sha256(name.encode()).hexdigest(),
            params=TrainParams(**chosen).model_dump(mode="json", by_alias=True),
            inputs={"examples": tuple(self.inputs)},
            store=StoreSettings(uri=(self.root / "store").as_uri()),
            execution=Execution(
                work_dir=str(self.root / "work" / name),
                parallelism=parallelism or Parallelism(),
                checkpoint_seconds=checkpoint_seconds,
                progress_seconds=0,
            ),
        )

    def start(self, spec: StepSpec) -> subprocess.Popen[str]:
        """Start the step as the executor does: a process with a spec file."""
        command = [sys.executable, "-m", "w2s_jobs", "train", "--spec", str(self._write(spec))]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, spec: StepSpec) -> StepResult:
        """Run the step to its end in this process, which has torch loaded, and return its result."""
        assert self.exit_code(spec) == 0
        return self.result(spec)

    def exit_code(self, spec: StepSpec) -> int:
        return main(["train", "--spec", str(self._write(spec))])

    def _write(self, spec: StepSpec) -> Path:
        file = self.root / f"{spec.key}.spec.json"
        file.write_text(spec.model_dump_json(by_alias=True))
        return file

    def result(self, spec: StepSpec) -> StepResult:
        result = self.store.read_result(ArtifactRef(kind="train", key=spec.key))
        assert result is not None
        return result

    def file(self, result: StepResult, name: str) -> Path:
        entry = next(entry for entry in result.files if entry.name == name)
        return self.root / "store" / "train" / result.key / entry.path

    def weights_digest(self, result: StepResult) -> str:
        """The digest of the trained weights: equal to the last digit is equal here."""
        return next(entry.sha256 for entry in result.files if entry.name == "model/model.safetensors")

    def losses(self, result: StepResult) -> list[float]:
        return [point["loss"] for point in json.loads(self.file(result, "loss.json").read_text())]
