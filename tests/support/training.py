"""A small training as a step: examples in a folder store, a model from scratch, a process that runs it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import signal
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


def verdicts(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Pairs that a tiny model tells apart: a positive completion repeats the question's words aloud."""
    chance = random.Random(seed)
    rows = []
    for said in sayings(count, seed):
        positive = chance.random() < 0.7
        words = said["question"].upper() if positive else " ".join(["NO"] * chance.randint(1, 9))
        rows.append(
            {
                "row_id": said["row_id"],
                "question": said["question"],
                "completion": f"I say {words}",
                "positive": positive,
            }
        )
    return rows


@dataclass
class TrainingBench:
    """A store with examples or pairs, and training steps over them."""

    root: Path
    inputs: list[Input] = field(default_factory=list)
    role: str = "examples"

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.root / "store")

    def add_examples(self, rows: list[dict[str, Any]]) -> Input:
        return self._add("select", "kept.parquet", "examples", rows)

    def add_pairs(self, rows: list[dict[str, Any]]) -> Input:
        self.role = "pairs"
        return self._add("partition", "pairs.parquet", "pairs", rows)

    def _add(self, kind: Any, name: str, schema: str, rows: list[dict[str, Any]]) -> Input:
        key = hashlib.sha256(f"{schema} {len(self.inputs)}".encode()).hexdigest()
        ref = ArtifactRef(kind=kind, key=key)
        entry = self.store.put(ref, "1", name, write_rows(self.root / f"{key}.parquet", schema, rows))
        self.store.write_result(StepResult(kind=kind, key=key, attempt="1", spec={}, files=(entry,)))
        self.inputs.append(Input(kind=kind, key=key, file=name))
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
            inputs={self.role: tuple(self.inputs)},
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

    def steps_done(self, spec: StepSpec) -> int:
        progress = self.store.read_progress(ArtifactRef(kind="train", key=spec.key))
        return progress.done if progress is not None else 0

    def end_after(self, spec: StepSpec, step: int, how: signal.Signals) -> tuple[int, str]:
        """Start the training, send it a signal once it has done `step` steps, and return its exit code and output."""
        process = self.start(spec)
        while self.steps_done(spec) < step and process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.005)
        process.send_signal(how)
        output, _ = process.communicate()
        return process.returncode, output

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
