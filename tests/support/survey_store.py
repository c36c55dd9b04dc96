"""A store full of made-up but plausible artifacts, as method `reward` leaves them behind, and the spec of its survey.

A student's skill grows with the number and the correctness of its labels, up to that of its ceiling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.support.step_store import StepStore, key_of
from tests.support.survey_answers import Answers, Questions
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.settings import SelectionRule, TaskSettings
from w2s_jobs.contracts.steps import Execution, StepSpec, StoreSettings
from w2s_jobs.contracts.survey import Relabelled, SurveyCapability, SurveyParams, SurveyPoint, SurveyRole

TEACH = 0.15
"""Labels below this correctness teach nothing."""


@dataclass(frozen=True)
class SurveyDesign:
    """What differs from one survey to another."""

    models: tuple[str, ...] = ("0.5b", "1.8b", "4b")
    capabilities: Mapping[str, str] = field(
        default_factory=lambda: {"gsm8k": "gsm8k", "creak": "creak", "scan": "scan"}
    )
    """family by capability"""
    seeds: tuple[int, ...] = (0,)
    selections: tuple[SelectionRule, ...] = ("reward", "random")
    extras: tuple[str, ...] = ()
    """extras: in-context, wts-single, wts-2, mixed, clean, noise, weakened, removed, no-warm-up"""
    baselines: tuple[str, ...] = ("weak", "ceiling")
    conventional: bool = True
    test: int = 150
    unlabelled: int = 200
    ceiling_gain: float = 0.9
    """how much more skill gold gives a model than its size"""
    sharpness: float = 2.0
    """how well rewards tell right labels from wrong ones; 0 not at all"""
    resamples: int = 200
    title: str = "synthetic survey"
    description: str = ""


@dataclass(frozen=True)
class Labels:
    """Labels of a capability's unlabelled split, and the step that made them."""

    votes: Input
    answers: Answers
    kept: np.ndarray
    select: str | None = None

    @property
    def rows(self) -> int:
        return int(self.kept.sum())

    @property
    def correctness(self) -> float:
        return float(self.answers.right[self.kept].mean()) if self.kept.any() else 0.0


Skills = Mapping[str, float]
"""Skill by capability."""


class SurveyStore(StepStore):
    """Publishes what the points of a survey were made of."""

    def __init__(self, root: Path, design: SurveyDesign) -> None:
        super().__init__(root)
        self.design = design
        self.points: list[SurveyPoint] = []
        self.relabelled: list[Relabelled] = []
        pairs = design.capabilities.items()
        # Capabilities differ in size, as the datasets do.
        self.test = {c: Questions(c, f, "test", design.test + 10 * n) for n, (c, f) in enumerate(pairs)}
        self.unlabelled = {c: Questions(c, f, "train", design.unlabelled) for c, f in pairs}
        self.gold = {name: self._gold(questions) for name, questions in self.unlabelled.items()}

    def spec(self) -> StepSpec:
        """Build the spec of the survey."""
        design = self.design
        params = SurveyParams(
            title=design.title,
            description=design.description,
            models=design.models,
            capabilities=tuple(
                SurveyCapability(name=name, task=TaskSettings(family=family), gold=self.gold[name].key)
                for name, family in design.capabilities.items()
            ),
            points=tuple(self.points),
            relabelled=tuple(self.relabelled),
            uses=tuple(self.uses),
            manifest={"kind": "WeakToStrongExperiment", "spec": {"method": {"reward": {}}}},
            resamples=design.resamples,
        )
        return StepSpec(
            kind="survey",
            key=key_of("survey", design.title),
            params=params.model_dump(mode="json", by_alias=True),
            inputs={role: tuple(items) for role, items in self.inputs.items()},
            store=StoreSettings(uri=(self.root / "store").as_uri()),
            execution=Execution(work_dir=str(self.root / "work")),
        )

    def _gold(self, questions: Questions) -> Input:
        rows = [
            {"row_id": row_id, "question": "q", "completion": answer, "answer": answer}
            for row_id, answer in zip(questions.row_ids, questions.gold, strict=True)
        ]
        path = self.rows(f"gold {questions.capability}", "examples", rows)
        name = f"unlabelled {questions.capability} gold"
        return self.add("gold", self.publish("prepare", name, "examples.parquet", path, 1, 2))

    def point(
        self,
        made: tuple[SurveyRole, str, str, str | None, int],
        skills: Skills,
        learnt: Mapping[str, Labels] | None = None,
        trains: tuple[str, ...] = (),
    ) -> None:
        """Publish the evaluations of a model, made as (role, variant, model, weak, seed)."""
        role, variant, model, weak, seed = made
        name = f"{role}-{variant}" if variant else role
        point = f"{name}/{f'{weak}-{model}' if weak else model}/seed{seed}"
        self.points.append(
            SurveyPoint(
                id=point,
                role=role,
                variant=variant,
                model=model,
                weak=weak,
                seed=seed,
                evaluations={c: self._evaluate(q, point, skills[c]) for c, q in self.test.items()},
                learnt={c: labels.select for c, labels in (learnt or {}).items() if labels.select},
                trains=trains,
            )
        )

    def _evaluate(self, questions: Questions, point: str, skill: float) -> str:
        answers = questions.answer(point, skill)
        columns = zip(questions.row_ids, answers.given, questions.gold, answers.right, strict=True)
        rows = [
            {"row_id": row_id, "answer": given, "gold": gold, "correct": bool(right)}
            for row_id, given, gold, right in columns
        ]
        name = f"{point} {questions.capability}"
        accuracy = {"accuracy": answers.correctness, "n": questions.count}
        if questions.family == "mctaco":
            accuracy["partialCredit"] = (1 + answers.correctness) / 2
        files = {
            "scored.parquet": self.rows(name, "scored", rows),
            "accuracy.json": self.json(f"accuracy {name}", accuracy),
        }
        scored, summary = self.publish_files("evaluate", name, files, seconds=4)
        self.add("scored", scored)
        self.add("accuracy", summary)
        return scored.key

    def label(self, capability: str, name: str, skill: float, taught: Labels | None = None) -> Labels:
        """Publish a model's labels of a capability's unlabelled split, and the selection that keeps all of them."""
        questions = self.unlabelled[capability]
        answers = questions.answer(name, skill, None if taught is None else taught.answers)
        rows = [
            {
                "row_id": row_id,
                "answer": given,
                "count": int(given is not None),
                "valid": int(given is not None),
                "total": 1,
                "sample": 0,
                "text": f"so it is {given}",
                "chain_of_thought": True,
            }
            for row_id, given in zip(questions.row_ids, answers.given, strict=True)
        ]
        name = f"{name} {capability} votes"
        votes = self.add("votes", self.publish("grade", name, "votes.parquet", self.rows(name, "votes", rows), 2, 3))
        labels = Labels(votes, answers, np.ones(questions.count, bool))
        return self.select(capability, f"{name} all", labels, labels.kept)

    def select(self, capability: str, name: str, labels: Labels, kept: np.ndarray, kind: str = "select") -> Labels:
        """Publish what is kept of some labels."""
        questions = self.unlabelled[capability]
        rows = [
            {"row_id": row_id, "question": "q", "completion": "c", "answer": given}
            for row_id, given, passed in zip(questions.row_ids, labels.answers.given, kept, strict=True)
            if passed
        ]
        name = f"{name} {capability}"
        item = self.publish(kind, name, "kept.parquet", self.rows(name, "examples", rows), seconds=1)
        self.add("kept", item)
        return Labels(labels.votes, labels.answers, kept, item.key)

    def score(self, name: str, labels: Mapping[str, Labels]) -> tuple[Input, dict[str, np.ndarray]]:
        """Publish rewards of the labels of all capabilities, in two chunks; return them by capability."""
        rewards: dict[str, np.ndarray] = {}
        rows = []
        for capability, given in labels.items():
            noise = np.random.default_rng(len(rows)).normal(0, 1.5, len(given.answers.right))
            rewards[capability] = 1 / (1 + np.exp(-(self.design.sharpness * (2 * given.answers.right - 1) + noise)))
            ids = self.unlabelled[capability].row_ids
            rows += [{"row_id": i, "reward": float(r)} for i, r in zip(ids, rewards[capability], strict=True)]
        half = len(rows) // 2
        files = {
            f"scores/{n}.parquet": self.rows(f"{name} {n}", "scores", chunk)
            for n, chunk in enumerate((rows[:half], rows[half:]))
        }
        key = self.publish_files("score", name, files)[0].key
        return self.add("scores", Input(kind="score", key=key, file="scores/")), rewards

    def learn(self, model: str, seen: Mapping[str, Labels], penalty: float = 0.0) -> dict[str, float]:
        """Say how skilled a model becomes of some labels."""
        gains = {
            c: self.design.ceiling_gain * max(0.0, labels.correctness - TEACH) * min(1.0, labels.rows / 60)
            for c, labels in seen.items()
        }
        return {c: self.base(model) + gains.get(c, 0.0) - penalty for c in self.test}

    def base(self, model: str) -> float:
        """Skill of a model before it learnt anything of a capability."""
        return 0.1 + 0.4 * self.design.models.index(model)

    def every(self, skill: Callable[[str], float]) -> dict[str, float]:
        """Give each capability its skill."""
        return {capability: skill(capability) for capability in self.test}
