"""Makes the steps that every method is built of, each once: a step asked for twice is one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from controller.api.placement import SamplingPlacement, TrainingPlacement
from controller.api.v1alpha1 import Capability, StrongModel, WeakModel, WeakToStrongExperiment
from controller.plan.graph import Resources, Step
from controller.plan.placement.training import follow_training
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.keys import step_key
from w2s_jobs.contracts.kinds import StepKind
from w2s_jobs.contracts.settings import (
    ModelSource,
    Parallelism,
    PromptTemplate,
    SamplingSettings,
    SplitName,
    TrainingSettings,
)
from w2s_jobs.contracts.step_params import (
    Completion,
    EvaluateParams,
    GradeParams,
    PrepareParams,
    RewardObjective,
    SampleParams,
    ScoreParams,
    SelectParams,
    TrainParams,
)
from w2s_jobs.contracts.steps import StepParams

__all__ = ["NO_SHOTS", "Model", "PlanBuilder", "Shots", "TestSplit", "Training", "draft_step", "output"]

Engine = Literal["transformers", "vllm"]
Side = Literal["weak", "strong"]
TestSplit = Literal["test", "extraTest"]

_GREEDY_SEED = 0
"""Greedy decoding draws nothing; one seed for all makes it one step for all seeds of the sweep."""


@dataclass(frozen=True)
class Model:
    """A model as steps read it: weights that were given, or the artifact of a training."""

    side: Side
    """side on which it samples: that of a teacher, or of a learner"""
    template: PromptTemplate
    engine: Engine
    source: ModelSource | None = None
    trained: Step | None = None

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The input of role `model`; empty when the weights were given."""
        return () if self.trained is None else (output(self.trained, "model/"),)


@dataclass(frozen=True)
class Shots:
    """Solved examples before each question (in-context learning)."""

    number: int
    """number of examples a question"""
    examples: tuple[Input, ...]
    """examples for each input of questions, in the same order"""


NO_SHOTS = Shots(0, ())


@dataclass(frozen=True)
class Training:
    """How a training differs from others of the same model."""

    settings: TrainingSettings
    seed: int
    template: PromptTemplate | None = None
    """template of the prompts; the model's own by default"""
    reward: RewardObjective | None = None
    """reward makes a classifier of pairs"""
    repeats: bool = False
    """repeats of a row are meant"""


def output(step: Step, file: str) -> Input:
    """Name a file (or a folder, ending in `/`) of the artifact that a step makes."""
    return Input(kind=step.kind, key=step.key, file=file)


def draft_step(
    kind: StepKind, name: str, role: str, params: StepParams, inputs: Mapping[str, tuple[Input, ...]]
) -> Step:
    """Build a step with its key; roles without inputs are left out."""
    given = {role: items for role, items in inputs.items() if items}
    return Step(kind=kind, key=step_key(kind, params, given), name=name, role=role, params=params, inputs=given)


class PlanBuilder:
    """Collects steps in the order in which they are asked for, which is topological."""

    def __init__(self, experiment: WeakToStrongExperiment) -> None:
        self.spec = experiment.spec
        self.capabilities = experiment.spec.tasks
        self._steps: dict[str, Step] = {}
        self._models: dict[str, Model] = {}

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step so far."""
        return tuple(self._steps.values())

    def questions(self, of: Capability, split: SplitName) -> Input:
        """Name the questions of a split, without gold."""
        return output(self._prepare(of, split, "questions"), "questions.parquet")

    def gold(self, of: Capability, split: SplitName, completion: Completion | None = None) -> Input:
        """Name the examples of a split, which carry gold."""
        return output(self._prepare(of, split, "gold", completion or of.dataset.completion), "examples.parquet")

    def model(self, name: str, given: WeakModel | StrongModel, side: Side) -> Model:
        """Return a model that was given, with its pretraining on all capabilities that have rows for it."""
        if name not in self._models:
            model = Model(side=side, template=given.template, engine=self._engine(given.source), source=given.source)
            for index, stage in enumerate(given.pretrain, start=1):
                having = [of for of in self.capabilities if getattr(of.dataset.splits, stage.split) != 0]
                gold = tuple(self.gold(of, stage.split, stage.completion) for of in having)
                training = Training(stage.training, stage.seed, stage.template)
                model = self.train(model, gold, training, name, f"pretrain {name} {index}")
            self._models[name] = model
        return replace(self._models[name], side=side)

    def sample(
        self,
        model: Model,
        questions: Sequence[Input],
        sampling: SamplingSettings,
        seed: int,
        label: str,
        shots: Shots = NO_SHOTS,
    ) -> Step:
        """Draw completions for questions, of one capability or of several, with the model's template."""
        where = self.spec.placement.weak_sampling if model.side == "weak" else self.spec.placement.strong_sampling
        params = SampleParams(
            model=model.source,
            engine=model.engine,
            template=model.template,
            sampling=sampling,
            seed=seed,
            shots=shots.number,
        )
        inputs = {"questions": tuple(questions), "shots": shots.examples, "model": model.inputs}
        step = draft_step("sample", label, model.side, params, inputs)
        return self._add(step, _on(where), shards=where.shards or 1)

    def sample_once(self, model: Model, questions: Sequence[Input], label: str) -> Step:
        """Draw one greedy completion a question."""
        return self.sample(model, questions, self.greedy(self.spec.sampling.max_tokens), _GREEDY_SEED, label)

    def sample_tests(
        self, model: Model, of: Sequence[Capability], label: str, split: TestSplit = "test", shots: Shots = NO_SHOTS
    ) -> Step:
        """Draw one greedy completion for each test question of all these capabilities."""
        questions = [self.questions(one, split) for one in of]
        what = "test" if split == "test" else "extra test"
        greedy = self.greedy(self.spec.evaluation.max_tokens)
        return self.sample(model, questions, greedy, _GREEDY_SEED, f"sample {what}, {label}", shots)

    def grade(self, of: Capability, samples: Step, label: str, questions: Input | None = None) -> Step:
        """Extract answers and vote; of samples of several capabilities, over these questions only."""
        inputs = {"samples": (output(samples, "samples/"),), "questions": (questions,) if questions else ()}
        step = draft_step("grade", label, samples.role, GradeParams(task=of.task), inputs)
        return self._add(step, Resources(threads=self.spec.placement.grading.threads))

    def light(
        self, kind: StepKind, params: StepParams, inputs: Mapping[str, tuple[Input, ...]], role: str, label: str
    ) -> Step:
        """Add a step that needs neither GPU nor threads."""
        return self._add(draft_step(kind, label, role, params, inputs))

    def select(
        self, grades: Step, questions: Input, params: SelectParams, label: str, chosen: Step | None = None
    ) -> Step:
        """Keep questions by the confidence of their vote, at the threshold that `chosen` chose where there is one."""
        inputs = {
            "votes": (output(grades, "votes.parquet"),),
            "questions": (questions,),
            "threshold": (output(chosen, "threshold.json"),) if chosen else (),
        }
        return self.light("select", params, inputs, grades.role, label)

    def score(self, model: Model, params: ScoreParams, inputs: Mapping[str, tuple[Input, ...]], label: str) -> Step:
        """Let a reward model judge labels, where strong models are sampled."""
        where = self.spec.placement.strong_sampling
        step = draft_step("score", label, model.side, params, {**inputs, "model": model.inputs})
        return self._add(step, _on(where), shards=where.shards or 1)

    def train(self, model: Model, examples: Sequence[Input], training: Training, role: str, label: str) -> Model:
        """Fine-tune `model` on examples; the model itself stays as it is."""
        where = self.spec.placement.training
        params = TrainParams(
            model=model.source,
            template=training.template or model.template,
            training=training.settings,
            seed=training.seed,
            reward=training.reward,
            repeats=training.repeats,
        )
        learnt = "pairs" if training.reward else "examples"
        step = draft_step("train", label, role, params, {learnt: tuple(examples), "model": model.inputs})
        trained = self._add(step, _on(where), parallelism=follow_training(where))
        return Model(side=model.side, template=model.template, engine=model.engine, trained=trained)

    def evaluate(self, of: Capability, samples: Step, role: str, label: str, split: TestSplit = "test") -> Step:
        """Grade greedy completions of a test split against its gold; samples may hold other capabilities too."""
        settings = self.spec.evaluation
        params = EvaluateParams(
            task=of.task,
            resamples=settings.resamples,
            confidence_level=settings.confidence_level,
            seed=settings.seed,
        )
        inputs = {
            "samples": (output(samples, "samples/"),),
            "gold": (self.gold(of, split),),
            "questions": (self.questions(of, split),),
        }
        what = "" if split == "test" else "extra test "
        return self.light("evaluate", params, inputs, role, f"evaluate {what}{label}")

    def greedy(self, max_tokens: int) -> SamplingSettings:
        """Build the settings of greedy decoding; stop strings and dtype are those of the manifest."""
        sampling = self.spec.sampling
        return SamplingSettings(
            samples=1, temperature=0, top_p=1, max_tokens=max_tokens, stop=sampling.stop, dtype=sampling.dtype
        )

    def _prepare(
        self, of: Capability, split: SplitName, part: Literal["questions", "gold"], completion: Completion = "text"
    ) -> Step:
        params = PrepareParams(
            task=of.task,
            source=of.dataset.source,
            splits=of.dataset.splits,
            split=split,
            part=part,
            completion=completion,
            on_bad_record=of.dataset.on_bad_record,
        )
        whose = f"{of.name} " if len(self.capabilities) > 1 else ""
        bare = " answers" if completion == "answer" else ""
        return self.light("prepare", params, {}, "data", f"prepare {whose}{split} {part}{bare}")

    def _engine(self, source: ModelSource) -> Engine:
        """Choose the engine now, so that the choice is part of the key. transformers starts faster on tiny models."""
        if self.spec.engine == "auto":
            return "transformers" if source.scratch is not None else "vllm"
        return self.spec.engine

    def _add(
        self,
        step: Step,
        resources: Resources | None = None,
        shards: int = 1,
        parallelism: Parallelism | None = None,
    ) -> Step:
        """Keep a step unless it is there already; the first to ask gives it its name."""
        if step.key not in self._steps:
            self._steps[step.key] = Step(
                kind=step.kind,
                key=step.key,
                name=step.name,
                role=step.role,
                params=step.params,
                inputs=step.inputs,
                resources=resources or Resources(),
                shards=shards,
                parallelism=parallelism or Parallelism(),
            )
        return self._steps[step.key]


def _on(where: SamplingPlacement | TrainingPlacement) -> Resources:
    """Name threads and pool; what a pool gives is settled when all steps are known (`placement/place.py`)."""
    asked = where.nodes if isinstance(where, TrainingPlacement) and where.pool is None else None
    return Resources(threads=where.threads, pool=where.pool, nodes=asked or 1)
