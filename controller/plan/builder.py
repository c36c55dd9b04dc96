"""Makes the steps that every method is built of, each once: a step asked for twice is one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from controller.api.placement import SamplingPlacement, TrainingPlacement
from controller.api.v1alpha1 import StrongModel, WeakModel, WeakToStrongExperiment
from controller.plan.graph import Resources, Step
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.keys import step_key
from w2s_jobs.contracts.kinds import StepKind
from w2s_jobs.contracts.settings import (
    ModelSource,
    Parallelism,
    Percent,
    PromptTemplate,
    SamplingSettings,
    SplitName,
    TrainingSettings,
)
from w2s_jobs.contracts.step_params import (
    ChooseParams,
    EvaluateParams,
    GradeParams,
    PrepareParams,
    SampleParams,
    SelectParams,
    TrainParams,
)
from w2s_jobs.contracts.steps import StepParams

__all__ = ["Model", "PlanBuilder", "Training", "output"]

Engine = Literal["transformers", "vllm"]

_GREEDY_SEED = 0
"""Greedy decoding draws nothing; one seed for all makes it one step for all seeds of the sweep."""


@dataclass(frozen=True)
class Model:
    """A model as steps read it: weights that were given, or the artifact of a training."""

    side: Literal["weak", "strong"]
    template: PromptTemplate
    engine: Engine
    source: ModelSource | None = None
    trained: Step | None = None

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The input of role `model`; empty when the weights were given."""
        return () if self.trained is None else (output(self.trained, "model/"),)


@dataclass(frozen=True)
class Training:
    """How a training differs from others of the same model."""

    settings: TrainingSettings
    seed: int
    template: PromptTemplate | None = None
    """template of the prompts; the model's own by default"""
    completion: Literal["text", "answer"] = "text"


def output(step: Step, file: str) -> Input:
    """Name a file (or a folder, ending in `/`) of the artifact that a step makes."""
    return Input(kind=step.kind, key=step.key, file=file)


class PlanBuilder:
    """Collects steps in the order in which they are asked for, which is topological."""

    def __init__(self, experiment: WeakToStrongExperiment) -> None:
        self.spec = experiment.spec
        self._steps: dict[str, Step] = {}
        self._models: dict[str, Model] = {}

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step so far."""
        return tuple(self._steps.values())

    def questions(self, split: SplitName) -> Input:
        """Name the questions of a split, without gold."""
        return output(self._prepare(split, "questions"), "questions.parquet")

    def gold(self, split: SplitName) -> Input:
        """Name the examples of a split, which carry gold."""
        return output(self._prepare(split, "gold"), "examples.parquet")

    def weak(self) -> Model:
        """Return the weak model, with its pretraining."""
        return self._initial("weak", self.spec.models.weak)

    def strong(self) -> Model:
        """Return the initial strong model, with its pretraining."""
        return self._initial("strong", self.spec.models.strong)

    def sample(self, model: Model, questions: Input, sampling: SamplingSettings, seed: int, label: str) -> Step:
        """Draw completions for questions with the model's template."""
        where = self.spec.placement.weak_sampling if model.side == "weak" else self.spec.placement.strong_sampling
        params = SampleParams(
            model=model.source, engine=model.engine, template=model.template, sampling=sampling, seed=seed
        )
        step = self._draft("sample", label, model.side, params, {"questions": (questions,), "model": model.inputs})
        return self._add(step, _on(where, where.gpus or 1), shards=where.shards)

    def grade(self, samples: Step, label: str) -> Step:
        """Extract answers and vote."""
        step = self._draft(
            "grade", label, samples.role, GradeParams(task=self.spec.task), {"samples": (output(samples, "samples/"),)}
        )
        return self._add(step, Resources(threads=self.spec.placement.grading.threads))

    def choose(self, params: ChooseParams, inputs: Mapping[str, tuple[Input, ...]], role: str, label: str) -> Step:
        """Choose a threshold by a rule."""
        return self._add(self._draft("choose", label, role, params, inputs))

    def select(
        self, grades: Step, questions: Input, params: SelectParams, label: str, chosen: Step | None = None
    ) -> Step:
        """Keep questions by the confidence of their vote, at the threshold that `chosen` chose where there is one."""
        inputs = {
            "votes": (output(grades, "votes.parquet"),),
            "questions": (questions,),
            "threshold": (output(chosen, "threshold.json"),) if chosen else (),
        }
        return self._add(self._draft("select", label, grades.role, params, inputs))

    def selection(
        self, threshold: Percent | None, require_valid: bool = True, chain_of_thought: bool = False
    ) -> SelectParams:
        """Build the parameters of `select`."""
        return SelectParams(
            task=self.spec.task,
            threshold=threshold,
            require_valid=require_valid,
            require_chain_of_thought=chain_of_thought,
        )

    def train(self, model: Model, examples: Sequence[Input], training: Training, role: str, label: str) -> Model:
        """Fine-tune `model` on examples; the model itself stays as it is."""
        where = self.spec.placement.training
        params = TrainParams(
            model=model.source,
            template=training.template or model.template,
            training=training.settings,
            seed=training.seed,
        )
        step = self._draft("train", label, role, params, {"examples": tuple(examples), "model": model.inputs})
        resources = _on(where, where.gpus or where.parallelism.ranks)
        trained = self._add(step, resources, parallelism=where.parallelism)
        return Model(side=model.side, template=model.template, engine=model.engine, trained=trained)

    def evaluate(self, model: Model, role: str, label: str, split: Literal["test", "extraTest"] = "test") -> Step:
        """Grade greedy completions of a test split against its gold."""
        settings = self.spec.evaluation
        questions = self.questions(split)
        what = "test" if split == "test" else "extra test"
        samples = self.sample(
            model, questions, self.greedy(settings.max_tokens), _GREEDY_SEED, f"sample {what}, {label}"
        )
        params = EvaluateParams(
            task=self.spec.task,
            resamples=settings.resamples,
            confidence_level=settings.confidence_level,
            seed=settings.seed,
        )
        inputs = {
            "samples": (output(samples, "samples/"),),
            "gold": (self.gold(split),),
            "questions": (questions,),
        }
        name = f"evaluate {label}" if split == "test" else f"evaluate {what} {label}"
        return self._add(self._draft("evaluate", name, role, params, inputs))

    def sample_once(self, model: Model, questions: Input, label: str) -> Step:
        """Draw the one greedy completion a question."""
        return self.sample(model, questions, self.greedy(self.spec.sampling.max_tokens), _GREEDY_SEED, label)

    def greedy(self, max_tokens: int) -> SamplingSettings:
        """Build the settings of greedy decoding; stop strings and dtype are those of the manifest."""
        sampling = self.spec.sampling
        return SamplingSettings(
            n=1, temperature=0, top_p=1, max_tokens=max_tokens, stop=sampling.stop, dtype=sampling.dtype
        )

    def report(self, params: StepParams, inputs: Mapping[str, tuple[Input, ...]]) -> Step:
        """Add the step that everything else is for."""
        return self._add(self._draft("report", "report", "report", params, inputs))

    def _prepare(self, split: SplitName, part: Literal["questions", "gold"]) -> Step:
        dataset = self.spec.dataset
        params = PrepareParams(
            task=self.spec.task,
            source=dataset.source,
            splits=dataset.splits,
            split=split,
            part=part,
            on_bad_record=dataset.on_bad_record,
        )
        return self._add(self._draft("prepare", f"prepare {split} {part}", "data", params, {}))

    def _initial(self, side: Literal["weak", "strong"], given: WeakModel | StrongModel) -> Model:
        if side not in self._models:
            model = Model(side=side, template=given.template, engine=self._engine(given.source), source=given.source)
            for index, stage in enumerate(given.pretrain, start=1):
                training = Training(stage.training, stage.seed, stage.template, stage.completion)
                model = self.train(model, (self.gold(stage.split),), training, side, f"pretrain {side} {index}")
            self._models[side] = model
        return self._models[side]

    def _engine(self, source: ModelSource) -> Engine:
        """Choose the engine now, so that the choice is part of the key. transformers starts faster on tiny models."""
        if self.spec.engine == "auto":
            return "transformers" if source.scratch is not None else "vllm"
        return self.spec.engine

    def _draft(
        self, kind: StepKind, name: str, role: str, params: StepParams, inputs: Mapping[str, tuple[Input, ...]]
    ) -> Step:
        given = {name: items for name, items in inputs.items() if items}
        return Step(kind=kind, key=step_key(kind, params, given), name=name, role=role, params=params, inputs=given)

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


def _on(where: SamplingPlacement | TrainingPlacement, gpus: int) -> Resources:
    return Resources(threads=where.threads, gpus=gpus if where.pool else 0, pool=where.pool)
