"""A store full of made-up but plausible artifacts, as an experiment leaves them behind, and the spec of its report.

Questions have a difficulty; a model has a skill and is right where luck and skill beat difficulty. A training's skill
grows with the number and the correctness of its labels, so thresholds trade one for the other as they do in the paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.step_store import StepStore, key_of
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.report import ReportChoice, ReportParams, ReportPoint
from w2s_jobs.contracts.settings import PublishedSetting, TaskSettings, Threshold
from w2s_jobs.contracts.steps import Execution, StepSpec, StoreSettings

TOPICS = ("Algebra", "Counting & Probability", "Geometry", "Intermediate Algebra", "Number Theory", "Precalculus")
SAMPLES = 10


@dataclass(frozen=True)
class Design:
    """What differs from one report to another."""

    rounds: tuple[tuple[Threshold, ...], ...] = ((30, 50, 70, 90), (50, 70, 90))
    seeds: tuple[int, ...] = (0,)
    baselines: tuple[str, ...] = ("weak", "ceiling", "conventional")
    test: int = 400
    unlabelled: int = 500
    weak_skill: float = 0.1
    ceiling_skill: float = 1.6
    levels: bool = False
    resamples: int = 400
    title: str = "synthetic"
    description: str = ""
    ablations: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    extra_test: int = 0
    published: PublishedSetting | None = None


class ReportStore(StepStore):
    """Writes artifacts one after the other and remembers what the report needs of them."""

    def __init__(self, root: Path, design: Design) -> None:
        super().__init__(root)
        self.design = design
        self.points: list[ReportPoint] = []
        self.choices: list[ReportChoice] = []
        self.random = np.random.default_rng(7)
        self.test_difficulty = self.random.normal(0.5, 1.0, self.design.test)
        self.difficulty = self.random.normal(0.5, 1.0, self.design.unlabelled)
        self.extra_difficulty = self.random.normal(0.5, 1.0, self.design.extra_test)

    def spec(self) -> StepSpec:
        """Build the spec of the report step."""
        design = self.design
        params = ReportParams(
            title=design.title,
            description=design.description,
            task=TaskSettings(family="gsm8k"),
            points=tuple(self.points),
            choices=tuple(self.choices),
            published=design.published,
            uses=tuple(self.uses),
            manifest={"kind": "WeakToStrongExperiment", "spec": {"method": {"confidence": {"rounds": design.rounds}}}},
            resamples=design.resamples,
        )
        return StepSpec(
            kind="report",
            key=key_of("report", design.title),
            params=params.model_dump(mode="json", by_alias=True),
            inputs={role: tuple(items) for role, items in self.inputs.items()},
            store=StoreSettings(uri=(self.root / "store").as_uri()),
            execution=Execution(work_dir=str(self.root / "work")),
        )

    def prepare(self) -> None:
        """Publish gold and questions of the unlabelled split."""
        gold = [
            {"row_id": row_id(i), "question": "q", "completion": f"#### {i}", "answer": str(i)}
            for i in range(self.design.unlabelled)
        ]
        questions = [
            {"row_id": row_id(i), "question": "q", **self.group(i, self.difficulty[i])}
            for i in range(self.design.unlabelled)
        ]
        uses = len(self.design.seeds) * sum(math.prod(map(len, self.design.rounds[: n + 1])) for n in range(1))
        path = self.rows("gold", "examples", gold)
        self.add("gold", self.publish("prepare", "unlabelled gold", "examples.parquet", path, 1, 2))
        path = self.rows("questions", "questions", questions)
        self.add("questions", self.publish("prepare", "unlabelled questions", "questions.parquet", path, uses, 2))

    def group(self, index: int, difficulty: float) -> dict[str, Any]:
        """Give a question its level and topic, where the design has them."""
        if not self.design.levels:
            return {"level": None, "topic": None}
        return {"level": int(np.clip(round(3 + difficulty), 1, 5)), "topic": TOPICS[index * index % 11 % len(TOPICS)]}

    def evaluate(self, name: str, skill: float, split: str = "test") -> Input:
        """Publish the scored questions of a model, of the test split or of the extra one."""
        difficulty = self.test_difficulty if split == "test" else self.extra_difficulty
        luck = np.random.default_rng(len(name)).normal(0, 0.8, len(difficulty))
        right = skill + luck > difficulty
        rows = [
            {
                "row_id": f"{split}-{i:05}",
                "answer": str(i) if right[i] else None,
                "gold": str(i),
                "correct": bool(right[i]),
                **self.group(i, difficulty[i]),
            }
            for i in range(len(difficulty))
        ]
        name = name if split == "test" else f"{name} {split}"
        path = self.rows(name, "scored", rows)
        return self.add("scored", self.publish("evaluate", name, "scored.parquet", path, seconds=4))

    def evaluate_extra(self, name: str, skill: float) -> str | None:
        """Publish the scored extra test questions, where the design has them; return the key."""
        return self.evaluate(name, skill, "extra").key if self.design.extra_test else None

    def vote(self, name: str, offered: list[int], skill: float, uses: int) -> tuple[Input, np.ndarray, np.ndarray]:
        """Publish votes; return them with each question's count and whether its winner is right."""
        random = np.random.default_rng(len(name) + 1)
        chance = 1 / (1 + np.exp(-1.6 * (skill - self.difficulty[offered] + random.normal(0, 0.5, len(offered)))))
        right = random.random(len(offered)) < chance
        counts = np.clip(random.binomial(SAMPLES, np.where(right, 0.35 + 0.65 * chance, 0.45 - 0.3 * chance)), 1, 10)
        rows = [
            {
                "row_id": row_id(q),
                "answer": str(q) if ok else str(-q - 1),
                "count": int(count),
                "valid": SAMPLES,
                "total": SAMPLES,
                "sample": 0,
                "text": "so the answer is",
                "chain_of_thought": True,
            }
            for q, ok, count in zip(offered, right, counts, strict=True)
        ]
        path = self.rows(name, "votes", rows)
        votes = self.add("votes", self.publish("grade", name, "votes.parquet", path, uses, 3))
        path.unlink()
        self.publish("sample", name, "samples/0.parquet", self.rows(f"samples {name}", "samples", []), uses, 300)
        return votes, counts, right

    def select(self, name: str, kept: list[tuple[int, bool]]) -> Input:
        """Publish what was kept."""
        rows = [
            {"row_id": row_id(q), "question": "q", "completion": "c", "answer": str(q) if ok else str(-q - 1)}
            for q, ok in kept
        ]
        path = self.rows(name, "examples", rows)
        return self.add("kept", self.publish("select", name, "kept.parquet", path, seconds=1))


def row_id(index: int) -> str:
    return f"train-{index:05}"
