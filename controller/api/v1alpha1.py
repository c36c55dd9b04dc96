"""The manifest: kind WeakToStrongExperiment, w2s.dev/v1alpha1. The one declaration; the CRD comes from it later.

Defaults are the papers' values (methods.md; paper `confidence`, appendix A.2 and B). What one field alone can show to
be wrong is refused here; what takes two fields, in `rules.py`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from controller.api.method import Method
from controller.api.placement import Placement, Pool
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
from w2s_jobs.contracts.step_params import Splits
from w2s_jobs.contracts.steps import StoreSettings

__all__ = [
    "DatasetSpec",
    "EvaluationSpec",
    "ExperimentSpec",
    "Metadata",
    "Models",
    "PretrainStage",
    "StrongModel",
    "WeakModel",
    "WeakToStrongExperiment",
]


class Metadata(Contract):
    """Which experiment this is. Nothing here enters the key of a step but the report's."""

    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
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


class PretrainStage(Contract):
    """One training, on gold, of a model that the experiment makes itself."""

    split: Literal["pretrain", "labelled"]
    """split whose gold is learnt; the unlabelled and the test split would leak their answers"""
    template: PromptTemplate | None = None
    """template of the prompts; the model's own by default"""
    completion: Literal["text", "answer"] = "text"
    """completion that is learnt: the whole text, or only the final answer"""
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


class Models(Contract):
    """The two models."""

    weak: WeakModel
    """weak model, which labels"""
    strong: StrongModel
    """strong model, which learns"""


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


class ExperimentSpec(Contract):
    """What is asked for."""

    description: str = Field(default="", max_length=4000)
    """description for the report's reader"""
    task: TaskSettings
    """task: what a record, an answer and equality are"""
    dataset: DatasetSpec
    """dataset: records and splits"""
    models: Models
    """models: weak and strong"""
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
    pools: tuple[Pool, ...] = Field(default=(), max_length=32)
    """pools of GPUs that placement may name"""
    placement: Placement = Placement()
    """placement of the steps; CPUs only by default"""
    storage: StoreSettings | None = None
    """storage of artifacts; `--store` overrides it, and a local folder is the default"""


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
