"""The manifest: kind WeakToStrongExperiment, w2s.dev/v1alpha1. The one declaration; the CRD comes from it later.

Defaults are the papers' values (methods.md; paper `confidence`, appendix A.2 and B). What one field alone can show to
be wrong is refused here; what takes two fields, in `rules.py`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from controller.api.method import Method
from controller.api.operations import Operations
from controller.api.reward import CapabilityName, ModelName
from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.settings import (
    DatasetSource,
    ModelSource,
    PromptTemplate,
    PublishedSetting,
    SamplingSettings,
    Seed,
    TaskSettings,
    TrainingSettings,
)
from w2s_jobs.contracts.step_params import Completion, Splits

__all__ = [
    "Capability",
    "ChainModel",
    "DatasetSpec",
    "EvaluationSpec",
    "ExperimentSpec",
    "Inquiry",
    "Metadata",
    "Models",
    "PretrainStage",
    "StrongModel",
    "WeakModel",
    "WeakToStrongExperiment",
]


class Metadata(Contract):
    """Which experiment this is. Nothing here enters the key of a step but the report's."""

    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", max_length=63)
    """name of the experiment, as Kubernetes names things"""
    namespace: str | None = Field(default=None, max_length=63)
    """namespace on a cluster; a local run ignores it"""
    labels: dict[str, str] = Field(default_factory=dict, max_length=64)
    """labels on a cluster; a local run ignores them"""
    annotations: dict[str, str] = Field(default_factory=dict, max_length=64)
    """annotations on a cluster; a local run ignores them"""


class DatasetSpec(Contract):
    """Records, and how they are divided."""

    source: DatasetSource
    """source of the records"""
    splits: Splits = Splits()
    """splits: disjoint, drawn with one seed"""
    on_bad_record: Literal["stop", "skip"] = "stop"
    """onBadRecord: stop with the file and line, or set the record aside and count it"""
    completion: Completion = "text"
    """completion that gold teaches: the whole text, or only the final answer"""


class Capability(Contract):
    """A task with its dataset, one of several that an experiment is about."""

    name: CapabilityName
    """name in plans and reports"""
    task: TaskSettings
    """task: what a record, an answer and equality are"""
    dataset: DatasetSpec
    """dataset: records and splits"""


class PretrainStage(Contract):
    """One training, on gold, of a model that the experiment makes itself."""

    split: Literal["pretrain", "labelled"]
    """split whose gold is learnt; the unlabelled and the test split would leak their answers"""
    template: PromptTemplate | None = None
    """template of the prompts; the model's own by default"""
    completion: Completion | None = None
    """completion that is learnt; what the dataset says by default"""
    training: TrainingSettings = TrainingSettings()
    """training settings of this stage"""
    seed: Seed = 0
    """seed of this stage; `spec.seeds` leaves it alone, because the two models are given to the method"""


class WeakModel(Contract):
    """The labeller, used as it is."""

    source: ModelSource
    """source of the first weights"""
    parameters: float | None = Field(default=None, ge=1, le=1e14)
    """parameters of the model, for the estimate; read off its name (`8B`) or its config where that tells"""
    pretrain: tuple[PretrainStage, ...] = Field(default=(), max_length=10)
    """pretrain stages that make it, one after the other"""
    template: PromptTemplate = PromptTemplate(name="chat")
    """template for weak labels and for the weak baseline"""
    direct_template: PromptTemplate = PromptTemplate(name="answer-only")
    """directTemplate asks for the bare answer, for the ablation `direct`"""


class StrongModel(Contract):
    """The model that learns from weak labels; every training starts from it afresh."""

    source: ModelSource
    """source of the first weights"""
    parameters: float | None = Field(default=None, ge=1, le=1e14)
    """parameters of the model, for the estimate; read off its name (`8B`) or its config where that tells"""
    pretrain: tuple[PretrainStage, ...] = Field(default=(), max_length=10)
    """pretrain stages that make it, one after the other"""
    template: PromptTemplate = PromptTemplate(name="direct")
    """template for training, relabelling and evaluation"""


class ChainModel(StrongModel):
    """One model of a chain, which learns from a smaller one and teaches a larger one."""

    name: ModelName
    """name in plans and reports, such as `0.5b`"""


class Models(Contract):
    """The models: weak and strong, or a chain of them."""

    weak: WeakModel | None = None
    """weak model, which labels"""
    strong: StrongModel | None = None
    """strong model, which learns"""
    chain: tuple[ChainModel, ...] = Field(default=(), max_length=20)
    """chain of models instead, the smallest first: method `reward` lets each teach the next"""

    @model_validator(mode="after")
    def _pair_or_chain(self) -> Models:
        given = [name for name in ("weak", "strong", "chain") if getattr(self, name)]
        if given not in (["weak", "strong"], ["chain"]):
            got = " and ".join(given) if given else "none"
            raise ValueError(f"expected weak and strong, or a chain; got {got}")
        return self

    @property
    def placed(self) -> tuple[tuple[tuple[str | int, ...], str, WeakModel | StrongModel], ...]:
        """Every model: where it stands below `models`, its name in messages and plans, and itself."""
        pair = (("weak", self.weak), ("strong", self.strong))
        chain = ((("chain", index), model.name, model) for index, model in enumerate(self.chain))
        return (*(((name,), name, model) for name, model in pair if model), *chain)

    @property
    def pair(self) -> tuple[WeakModel, StrongModel]:
        """The weak and the strong model, where they are given; of a chain, the rules refuse what needs a pair."""
        if self.weak is None or self.strong is None:
            raise AssertionError("a chain has no pair: parsing lets no such experiment through")
        return self.weak, self.strong


class EvaluationSpec(Contract):
    """Greedy decoding of the test split, and the intervals around what comes out."""

    max_tokens: int = Field(default=512, ge=1, le=131072)
    """maxTokens a completion may have"""
    resamples: int = Field(default=2000, ge=100, le=100000)
    """resamples of the paired bootstrap"""
    confidence_level: float = Field(default=0.95, ge=0.51, le=0.999)
    """confidenceLevel of every interval; an accuracy of 0 or 1, which a bootstrap would call certain, gets Wilson's"""
    seed: Seed = 0
    """seed of the bootstrap"""
    published: PublishedSetting | None = None
    """published names the setting of the paper whose numbers the report lays beside this run's"""


class Inquiry(Contract):
    """What is asked. All of it is told in the report, and so enters the report's key."""

    description: str = Field(default="", max_length=4000)
    """description for the report's reader"""
    task: TaskSettings | None = None
    """task: what a record, an answer and equality are"""
    dataset: DatasetSpec | None = None
    """dataset: records and splits"""
    capabilities: tuple[Capability, ...] = Field(default=(), max_length=64)
    """capabilities instead of task and dataset: several tasks, for method `reward`"""
    models: Models
    """models: weak and strong, or a chain"""
    method: Method
    """method, exactly one"""
    sampling: SamplingSettings = SamplingSettings()
    """sampling of labels, by the weak model and in every later round"""
    training: TrainingSettings = TrainingSettings()
    """training of the strong model in every round and baseline"""
    evaluation: EvaluationSpec = EvaluationSpec()
    """evaluation on the test split"""
    seeds: tuple[Seed, ...] = Field(default=(0,), min_length=1, max_length=100)
    """seeds: a sweep axis over sampling and training; the splits stay as they are"""
    engine: Literal["auto", "transformers", "vllm"] = "auto"
    """engine of sampling; auto takes transformers for models from scratch and vllm for all others"""

    @model_validator(mode="after")
    def _one_task_or_capabilities(self) -> Inquiry:
        given = [name for name in ("task", "dataset", "capabilities") if getattr(self, name)]
        if given not in (["task", "dataset"], ["capabilities"]):
            got = " and ".join(given) if given else "none"
            raise ValueError(f"expected task and dataset, or capabilities; got {got}")
        return self

    @property
    def tasks(self) -> tuple[Capability, ...]:
        """The capabilities; one task with its dataset is one, under the name of its family."""
        if self.task is None or self.dataset is None:
            return self.capabilities
        return (Capability(name=self.task.family, task=self.task, dataset=self.dataset),)

    @property
    def placed_tasks(self) -> tuple[tuple[tuple[str | int, ...], Capability], ...]:
        """Every capability with the place below `spec` where its task and dataset stand."""
        if self.capabilities:
            return tuple((("capabilities", index), one) for index, one in enumerate(self.capabilities))
        return tuple(((), one) for one in self.tasks)


class ExperimentSpec(Operations, Inquiry):
    """What is asked for, and how and where it runs."""


class WeakToStrongExperiment(Contract):
    """One experiment."""

    api_version: Literal["w2s.dev/v1alpha1"]
    """apiVersion of this format"""
    kind: Literal["WeakToStrongExperiment"]
    """kind of this object"""
    metadata: Metadata
    """metadata: the name"""
    spec: ExperimentSpec
    """spec: what is asked for"""
