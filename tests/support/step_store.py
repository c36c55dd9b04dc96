"""A store that finished steps are published in, one after the other, as inputs of a report."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from w2s_jobs.contracts.artifact import ArtifactRef, Input, StepResult
from w2s_jobs.contracts.report import StepUse
from w2s_jobs.store.folder import FolderStore
from w2s_jobs.store.rows import write_rows


class StepStore:
    """Writes artifacts and remembers what the report needs of them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = FolderStore(root / "store")
        self.inputs: dict[str, list[Input]] = {}
        self.uses: list[StepUse] = []

    def publish(self, kind: str, name: str, file: str, path: Path, uses: int = 1, seconds: float = 60.0) -> Input:
        """Publish a finished step with one file."""
        return self.publish_files(kind, name, {file: path}, uses, seconds)[0]

    def publish_files(
        self, kind: str, name: str, files: Mapping[str, Path], uses: int = 1, seconds: float = 60.0
    ) -> list[Input]:
        """Publish a finished step with its files."""
        key = key_of(kind, name)
        ref = ArtifactRef(kind=kind, key=key)
        entries = tuple(self.store.put(ref, "1-abcd", file, path) for file, path in files.items())
        result = StepResult(
            kind=kind,
            key=key,
            attempt="1-abcd",
            spec={"params": {"split": name.split(maxsplit=1)[0], "part": name.rsplit(maxsplit=1)[-1]}},
            files=entries,
            timings={"seconds": seconds, "gpuSeconds": 0.0},
            versions={"python": "3.11.0", "w2s": "0.1.0"},
        )
        self.store.write_result(result)
        self.uses.append(StepUse(kind=kind, key=key, uses=uses))  # type: ignore[arg-type]
        return [Input(kind=kind, key=key, file=file) for file in files]

    def add(self, role: str, item: Input) -> Input:
        """Make an artifact an input of the report."""
        self.inputs.setdefault(role, []).append(item)
        return item

    def rows(self, name: str, schema: str, rows: list[dict[str, Any]]) -> Path:
        """Write rows to a scratch file."""
        return write_rows(self.scratch(schema, name, "parquet"), schema, rows)

    def json(self, name: str, value: object) -> Path:
        """Write JSON to a scratch file."""
        path = self.scratch("json", name, "json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
        return path

    def train(self, name: str, final: float, steps: int = 60) -> Input:
        """Publish a loss curve."""
        noise = np.random.default_rng(steps).normal(0, 0.04, steps)
        losses = [
            {"step": i + 1, "epoch": i / steps, "loss": float(final + 1.7 * math.exp(-i / 12) + noise[i])}
            for i in range(steps)
        ]
        return self.add(
            "loss", self.publish("train", name, "loss.json", self.json(f"loss {name}", losses), seconds=240)
        )

    def scratch(self, kind: str, name: str, suffix: str) -> Path:
        """Name a scratch file."""
        return self.root / "scratch" / f"{key_of(kind, name)[:12]}.{suffix}"


def key_of(kind: str, name: str) -> str:
    return hashlib.sha256(f"{kind} {name}".encode()).hexdigest()
