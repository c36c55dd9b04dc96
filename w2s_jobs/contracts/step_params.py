"""One parameter type for each kind of step but the reports. All of it enters the step's key."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.settings import (
    DatasetSource,
    ModelSource,
    Percent,
    PromptTemplate,
    SamplingSettings,
    Seed,
    SplitName,
    TaskSettings,
    ThresholdRule,
    TrainingSettings,
)

__all__ = [
    "ChooseParams",
    "CleanParams",
    "Completion",
    "EvaluateParams",
    "GradeParams",
    "PartitionParams",
    "PrepareParams",
    "RewardObjective",
    "SampleParams",
    "ScoreParams",
    "SelectParams",
    "Splits",
    "TrainParams",
]

Completion = Literal["text", "answer"]
"""What is learnt of a row: the whole text, or only the final answer as the family writes it (no chain of thought)."""


_MOST_ROWS = 1_000_000_000
"""Rows of a split. No data set of questions has more; it bounds the sums that an API server checks."""


class Splits(Contract):
    """Sizes of the disjoint splits, drawn with one seed. 0 leaves a split out, null takes all that is left."""

    pretrain: int = Field(default=0, ge=0, le=_MOST_ROWS)
    """pretrain rows: only models built from scratch learn from them"""
    labelled: int = Field(default=0, ge=0, le=_MOST_ROWS)
    """labelled rows (D_a): their gold may be read by everything"""
    calibration: int = Field(default=0, ge=0, le=_MOST_ROWS)
    """calibration rows: labelled ones that no model learns from, for the threshold rule `calibrated`"""
    unlabelled: int | None = Field(default=None, ge=0, le=_MOST_ROWS)
    """unlabelled rows (D_b): only the ceiling and the analyses may read their gold"""
    test: int | None = Field(default=None, ge=0, le=_MOST_ROWS)
    """test rows (T): only evaluations may read their gold"""
    extra_test: int | None = Field(default=0, ge=0, le=_MOST_ROWS)
    """extraTest rows, evaluated apart: the report gives test alone, and both together (paper: 500 beside 5,000)"""
    seed: Seed = 0
    """seed of the split"""


class PrepareParams(Contract):
    """Read a dataset, split it, and write one part of one split."""

    task: TaskSettings
    source: DatasetSource
    splits: Splits
    split: SplitName
    part: Literal["questions", "gold"]
    """part: questions without gold, or examples that carry gold"""
    completion: Completion = "text"
    """completion of the gold examples"""
    on_bad_record: Literal["stop", "skip"] = "stop"
    """onBadRecord: stop with the file and line, or set the record aside and count it"""


class SampleParams(Contract):
    """Draw completions for questions. `model` is null when the model is an input artifact.

    Several inputs of questions are one sampling: their rows are sampled by one process of the model.
    """

    model: ModelSource | None = None
    engine: Literal["transformers", "vllm"]
    template: PromptTemplate
    sampling: SamplingSettings
    seed: Seed
    shots: int = Field(default=0, ge=0, le=100)
    """shots: solved examples before each question (in-context learning): the first ones, in order of row ids, of the
    input `shots` that stands at the place of the question's own input"""


class GradeParams(Contract):
    """Extract each sample's final answer and vote."""

    task: TaskSettings


class ChooseParams(Contract):
    """Choose a threshold by a rule that reads no gold of the unlabelled split."""

    task: TaskSettings
    rule: ThresholdRule
    """rule: `calibrated` reads votes over labelled questions and their gold, `agreement` only the votes themselves"""
    candidates: tuple[Percent, ...] = ()
    """candidates to choose from; empty means every confidence that the votes can have"""
    require_chain_of_thought: bool = False
    """requireChainOfThought leaves out answers that the selection would drop for want of reasoning"""


class PartitionParams(Contract):
    """Divide labels by whether two models agree (paper `reward`, section 4.2, eq. 6)."""

    task: TaskSettings


class ScoreParams(Contract):
    """Let a reward model judge labels: sigmoid(R(question, label)) of each."""

    template: PromptTemplate
    max_seq_len: int = Field(ge=16, le=131072)
    """maxSeqLen in tokens; a longer pair of prompt and label is cut on the left"""


class SelectParams(Contract):
    """Keep questions whose label passes every condition that is set; the rest is discarded (and can be relabelled)."""

    task: TaskSettings
    threshold: Percent | None = None
    """threshold of the vote's confidence in percent, inclusive; null takes that of the input `threshold`, or without
    one sets no condition"""
    min_reward: float | None = Field(default=None, ge=0, le=1)
    """minReward that the label's reward in the input `scores` must exceed; null sets no condition"""
    draw: Seed | None = None
    """draw with this seed, from what passes, as many rows as the input `size` holds; null keeps all"""
    completion: Completion = "text"
    """completion of the kept examples"""
    require_valid: bool = True
    """requireValid drops questions for which no sample had a valid answer"""
    require_chain_of_thought: bool = False
    """requireChainOfThought drops answers without reasoning before the final answer (stage II on)"""


class CleanParams(Contract):
    """Keep the right labels, by gold, and a share of the wrong ones: an analysis (paper `reward`, section 3.6)."""

    task: TaskSettings
    noise: Percent = 0
    """noise: how many percent of the wrong labels are kept; 0 is clean, 100 all that was labelled"""
    seed: Seed = 0
    """seed by which the wrong ones are drawn; more noise keeps those of less noise too"""
    completion: Completion = "text"
    """completion of the kept examples"""


class RewardObjective(Contract):
    """What a reward model is trained for: to tell pairs that are positive from those that are not."""

    loss: Literal["logistic", "difference"] = "logistic"
    """loss: logistic, on a scalar head (methods.md); or difference, which maximises E[R+] - E[R-] with R = sigmoid of
    the head (paper `reward`, eq. 7), bounded so that it has a maximum"""
    balanced: bool = True
    """balanced gives positives and negatives the same weight in all, however many there are of each"""


class TrainParams(Contract):
    """Fine-tune a model. `model` is null when the model is an input artifact."""

    model: ModelSource | None = None
    template: PromptTemplate
    training: TrainingSettings
    seed: Seed
    reward: RewardObjective | None = None
    """reward makes a classifier of pairs (role `pairs`) of the model; null trains on completions (role `examples`)"""
    repeats: bool = False
    """repeats of a row are meant: labels of several labellers; else a row that is there twice is an error"""


class EvaluateParams(Contract):
    """Grade greedy completions of the test split against gold."""

    task: TaskSettings
    resamples: int = Field(default=2000, ge=100, le=100000)
    """resamples of the bootstrap"""
    confidence_level: float = Field(default=0.95, gt=0.5, lt=1)
    """confidenceLevel of every interval"""
    seed: Seed = 0
    """seed of the bootstrap"""
