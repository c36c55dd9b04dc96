"""Which parameters and files belong to each kind of step, and the spec file that a step's process is started with.

Parameters enter the step's key; `Execution` does not, so nothing in it may change what is computed.

| kind     | inputs (role: file)                                   | files of its artifact                             |
|----------|-------------------------------------------------------|---------------------------------------------------|
| prepare  | none                                                  | questions.parquet, or examples.parquet (gold)     |
| sample   | questions: *.parquet, one or more; shots: examples of | samples/ (chunks of rows)                         |
|          | each of them; model: model/ (or params.model)         |                                                   |
| grade    | samples: samples/; questions: whose rows, else all    | answers.parquet, votes.parquet                    |
| choose   | votes: votes.parquet; calibration, discarded, gold    | threshold.json                                    |
| partition| weak, strong: votes.parquet; questions                | pairs.parquet, partition.parquet                  |
| score    | votes: votes.parquet, one or more; questions: of each | scores/ (chunks of rows)                          |
|          | of them; model: model/ of a reward model              |                                                   |
| select   | votes: votes.parquet; questions: *.parquet; threshold,| kept.parquet, discarded.parquet                   |
|          | scores: scores/, size: kept.parquet                   |                                                   |
| clean    | votes: votes.parquet; questions: *.parquet; gold      | kept.parquet                                      |
| train    | examples: *.parquet, one or more (of a reward model:  | model/ (Hugging Face layout), loss.json           |
|          | pairs: pairs.parquet, one or more); model: model/     |                                                   |
| evaluate | samples: samples/; gold, questions                    | scored.parquet, accuracy.json                     |
| report   | everything that a point names                         | report.html, results.json, results.csv, cost.json |
| survey   | everything that a point names                         | report.html, results.json, results.csv, cost.json |

Row schemas (Parquet, zstd), in this order of columns:

    questions, discarded   row_id str, question str, level int32|null, topic str|null
    examples, kept         row_id str, question str, completion str, answer str|null, confidence_count int32|null,
                           confidence_total int32|null
    samples                row_id str, sample int32, text str, finish_reason str, tokens int32
    answers                row_id str, sample int32, answer str|null, group int32 (-1: no valid answer)
    votes                  row_id str, answer str|null, count int32, valid int32, total int32, sample int32 (-1: none),
                           text str|null, chain_of_thought bool
    pairs                  row_id str, question str, completion str, positive bool
    partition              row_id str, weak_answer str|null, strong_answer str|null, consistent bool
    scores                 row_id str, reward float64 (0..1)
    scored                 row_id str, answer str|null, gold str, correct bool, level int32|null, topic str|null
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.kinds import StepKind
from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.report import ReportParams
from w2s_jobs.contracts.settings import Parallelism, Sha256
from w2s_jobs.contracts.step_params import (
    ChooseParams,
    CleanParams,
    EvaluateParams,
    GradeParams,
    PartitionParams,
    PrepareParams,
    SampleParams,
    ScoreParams,
    SelectParams,
    TrainParams,
)
from w2s_jobs.contracts.survey import SurveyParams

__all__ = ["PARAMS", "Execution", "StepParams", "StepSpec", "StoreSettings"]

StepParams = (
    PrepareParams
    | SampleParams
    | GradeParams
    | ChooseParams
    | SelectParams
    | TrainParams
    | EvaluateParams
    | PartitionParams
    | ScoreParams
    | CleanParams
    | ReportParams
    | SurveyParams
)

PARAMS: dict[str, type[StepParams]] = {
    "prepare": PrepareParams,
    "sample": SampleParams,
    "grade": GradeParams,
    "choose": ChooseParams,
    "select": SelectParams,
    "train": TrainParams,
    "evaluate": EvaluateParams,
    "partition": PartitionParams,
    "score": ScoreParams,
    "clean": CleanParams,
    "report": ReportParams,
    "survey": SurveyParams,
}


class StoreSettings(Contract):
    """Where artifacts lie. Credentials are never here: boto3 finds them in the environment."""

    uri: str = Field(pattern=r"^(file|s3)://", max_length=1000)
    """uri of the root: `file:///folder` or `s3://bucket/prefix`"""
    endpoint: str | None = Field(default=None, pattern=r"^https?://[^/]", max_length=500)
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
    nodes: int = Field(default=1, ge=1, le=1024)
    """nodes that train together, each a process such as this one"""
    node: int = Field(default=0, ge=0)
    """node of nodes that this process is"""
    rendezvous: str | None = Field(default=None, pattern=r"^[^:]+:[0-9]+$", max_length=300)
    """rendezvous host and port where the nodes meet, which is node 0"""
    chunk_rows: int = Field(default=256, ge=1)
    """chunkRows is how many questions are committed together while sampling"""
    parallelism: Parallelism = Parallelism()
    """parallelism of a training"""
    checkpoint_seconds: float = Field(default=300, ge=0)
    """checkpointSeconds between two checkpoints of a training"""
    progress_seconds: float = Field(default=1, ge=0)
    """progressSeconds between two writes of progress.json"""
    no_progress_seconds: float | None = Field(default=None, gt=0)
    """noProgressSeconds without a sign of progress after which the step ends with exit code 1; null waits for ever"""
    grace_seconds: float | None = Field(default=None, gt=0)
    """graceSeconds between SIGTERM and SIGKILL; the step ends a little earlier by itself, so that its exit code says
    that it was told to stop; null takes all the time it needs"""


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
