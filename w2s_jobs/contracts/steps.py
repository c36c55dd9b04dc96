"""One parameter type for each step kind, and the spec file that a step's process is started with.

Parameters enter the step's key; `Execution` does not, so nothing in it may change what is computed.

| kind     | inputs (role: file)                                   | files of its artifact                             |
|----------|-------------------------------------------------------|---------------------------------------------------|
| prepare  | none                                                  | questions.parquet, or examples.parquet (gold)     |
| sample   | questions: *.parquet; model: model/ (or params.model) | samples/ (chunks of rows)                         |
| grade    | samples: samples/                                     | answers.parquet, votes.parquet                    |
| choose   | votes: votes.parquet; calibration, discarded, gold    | threshold.json                                    |
| select   | votes: votes.parquet; questions: *.parquet; threshold | kept.parquet, discarded.parquet                   |
| train    | examples: *.parquet, one or more; model: model/       | model/ (Hugging Face layout), loss.json           |
| evaluate | samples: samples/; gold, questions                    | scored.parquet, accuracy.json                     |
| report   | everything that a point names                         | report.html, results.json, results.csv, cost.json |

Row schemas (Parquet, zstd), in this order of columns:

    questions, discarded   row_id str, question str, level int32|null, topic str|null
    examples, kept         row_id str, question str, completion str, answer str|null, confidence_count int32|null,
                           confidence_total int32|null
    samples                row_id str, sample int32, text str, finish_reason str, tokens int32
    answers                row_id str, sample int32, answer str|null, group int32 (-1: no valid answer)
    votes                  row_id str, answer str|null, count int32, valid int32, total int32, sample int32 (-1: none),
                           text str|null, chain_of_thought bool
    scored                 row_id str, answer str|null, gold str, correct bool, level int32|null, topic str|null
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.settings import (
    DatasetSource,
    ModelSource,
    Parallelism,
    Percent,
    PromptTemplate,
    PublishedSetting,
    SamplingSettings,
    Seed,
    Sha256,
    SplitName,
    TaskSettings,
    Threshold,
    ThresholdRule,
    TrainingSettings,
)

__all__ = [
    "PARAMS",
    "ChooseParams",
    "EvaluateParams",
    "Execution",
    "GradeParams",
    "PrepareParams",
    "ReportChoice",
    "ReportParams",
    "ReportPoint",
    "SampleParams",
    "SelectParams",
    "Splits",
    "StepKind",
    "StepParams",
    "StepSpec",
    "StepUse",
    "StoreSettings",
    "TrainParams",
]

StepKind = Literal["prepare", "sample", "grade", "choose", "select", "train", "evaluate", "report"]


class Splits(Contract):
    """Sizes of the disjoint splits, drawn with one seed. 0 leaves a split out, null takes all that is left."""

    pretrain: int = Field(default=0, ge=0)
    """pretrain rows: only models built from scratch learn from them"""
    labelled: int = Field(default=0, ge=0)
    """labelled rows (D_a): their gold may be read by everything"""
    calibration: int = Field(default=0, ge=0)
    """calibration rows: labelled ones that no model learns from, for the threshold rule `calibrated`"""
    unlabelled: int | None = Field(default=None, ge=0)
    """unlabelled rows (D_b): only the ceiling and the analyses may read their gold"""
    test: int | None = Field(default=None, ge=0)
    """test rows (T): only evaluations may read their gold"""
    extra_test: int | None = Field(default=0, ge=0)
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
    on_bad_record: Literal["stop", "skip"] = "stop"
    """onBadRecord: stop with the file and line, or set the record aside and count it"""


class SampleParams(Contract):
    """Draw completions for questions. `model` is null when the model is an input artifact."""

    model: ModelSource | None = None
    engine: Literal["transformers", "vllm"]
    template: PromptTemplate
    sampling: SamplingSettings
    seed: Seed


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


class SelectParams(Contract):
    """Keep questions by the confidence of their vote; the rest is discarded (and can be relabelled)."""

    task: TaskSettings
    threshold: Percent | None
    """threshold in percent, inclusive; null takes that of the input `threshold`, or without one keeps every question
    that has an answer text"""
    require_valid: bool = True
    """requireValid drops questions for which no sample had a valid answer"""
    require_chain_of_thought: bool = False
    """requireChainOfThought drops answers without reasoning before the final answer (stage II on)"""


class TrainParams(Contract):
    """Fine-tune a model on examples. `model` is null when the model is an input artifact."""

    model: ModelSource | None = None
    task: TaskSettings
    template: PromptTemplate
    completion: Literal["text", "answer"] = "text"
    """completion that is learnt: the whole text, or only the final answer (no chain of thought)"""
    training: TrainingSettings
    seed: Seed


class EvaluateParams(Contract):
    """Grade greedy completions of the test split against gold."""

    task: TaskSettings
    resamples: int = Field(default=2000, ge=100, le=100000)
    """resamples of the bootstrap"""
    confidence_level: float = Field(default=0.95, gt=0.5, lt=1)
    """confidenceLevel of every interval"""
    seed: Seed = 0
    """seed of the bootstrap"""


class ReportPoint(Contract):
    """One trained (or given) model of the experiment, and where its evidence lies. Keys are `kind/key` inputs."""

    id: str
    """id, unique in the report, such as `stage2/t30-50/seed0`"""
    role: Literal["weak", "ceiling", "conventional", "unfiltered", "direct", "direct-ceiling", "direct-weak", "round"]
    """role: a baseline, an ablation, or a round of the method"""
    thresholds: tuple[Threshold, ...] = ()
    """thresholds of each round so far, or the rules that chose them; empty for a baseline"""
    seed: int
    evaluate: Sha256
    """evaluate step of this point"""
    evaluate_extra: Sha256 | None = None
    """evaluateExtra: the same model on the extra test questions"""
    selects: tuple[Sha256, ...] = ()
    """selects whose kept rows were learnt from, in order of the rounds"""
    grades: tuple[Sha256, ...] = ()
    """grades from which those selects chose, in the same order"""
    train: Sha256 | None = None
    """train step; null for the weak baseline"""


class ReportChoice(Contract):
    """A threshold that a rule chose for one round of one branch."""

    choose: Sha256
    """choose step whose threshold.json says which"""
    rule: ThresholdRule
    seed: int
    after: tuple[Threshold, ...] = ()
    """after these thresholds of the rounds before; the choice is about the round that follows"""
    swept: bool
    """swept: the choice is among thresholds that were all trained; else only the chosen one was"""
    require_chain_of_thought: bool = False
    """requireChainOfThought of the round's selections: labels without reasoning are not kept"""


class StepUse(Contract):
    """How often a step would run if nothing were shared."""

    kind: StepKind
    key: Sha256
    uses: int = Field(ge=1)


class ReportParams(Contract):
    """Everything that the report is read off. Names and titles are here, so they are in its key."""

    title: str
    description: str = ""
    task: TaskSettings
    points: tuple[ReportPoint, ...]
    choices: tuple[ReportChoice, ...] = ()
    uses: tuple[StepUse, ...] = ()
    manifest: dict[str, Any] = Field(default_factory=dict)
    """manifest as compiled, shown in the report"""
    resamples: int = Field(default=2000, ge=100, le=100000)
    confidence_level: float = Field(default=0.95, gt=0.5, lt=1)
    seed: Seed = 0
    published: PublishedSetting | None = None
    """published: the setting of the paper whose numbers stand beside the own ones"""


StepParams = (
    PrepareParams
    | SampleParams
    | GradeParams
    | ChooseParams
    | SelectParams
    | TrainParams
    | EvaluateParams
    | ReportParams
)

PARAMS: dict[str, type[StepParams]] = {
    "prepare": PrepareParams,
    "sample": SampleParams,
    "grade": GradeParams,
    "choose": ChooseParams,
    "select": SelectParams,
    "train": TrainParams,
    "evaluate": EvaluateParams,
    "report": ReportParams,
}


class StoreSettings(Contract):
    """Where artifacts lie. Credentials are never here: boto3 finds them in the environment."""

    uri: str = Field(pattern=r"^(file|s3)://", max_length=1000)
    """uri of the root: `file:///folder` or `s3://bucket/prefix`"""
    endpoint: str | None = Field(default=None, max_length=500)
    """endpoint URL of an S3 server that is not AWS"""
    region: str | None = Field(default=None, max_length=50)
    """region of the bucket"""


class Execution(Contract):
    """How a step runs, apart from what it computes. Nothing here enters the key."""

    attempt: str = "1"
    """attempt name, unique for each start of the step"""
    work_dir: str
    """workDir is scratch space of this step on this machine"""
    threads: int = Field(default=1, ge=1)
    """threads of the math libraries"""
    gpus: int = Field(default=0, ge=0)
    """gpus that the step may see"""
    shard: int = Field(default=0, ge=0)
    shards: int = Field(default=1, ge=1)
    """shard of shards: this process samples every row of its contiguous range only"""
    chunk_rows: int = Field(default=256, ge=1)
    """chunkRows is how many questions are committed together while sampling"""
    parallelism: Parallelism = Parallelism()
    """parallelism of a training"""
    checkpoint_seconds: float = Field(default=300, ge=0)
    """checkpointSeconds between two checkpoints of a training"""
    progress_seconds: float = Field(default=1, ge=0)
    """progressSeconds between two writes of progress.json"""


class StepSpec(Contract):
    """The file behind `python -m w2s_jobs STEP --spec FILE`."""

    kind: StepKind
    key: Sha256
    params: dict[str, Any]
    """params of the kind, validated by `PARAMS[kind]`"""
    inputs: dict[str, tuple[Input, ...]] = Field(default_factory=dict)
    """inputs by role"""
    store: StoreSettings
    execution: Execution
