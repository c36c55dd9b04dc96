"""Settings that a manifest declares and a step receives: datasets, models, prompts, sampling, training.

One declaration serves both sides, so a field of the manifest reaches the step under the same name. Defaults are
the papers' values (methods.md; paper `confidence`, appendix A.2 and B).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from w2s_jobs.contracts.families import FamilyName
from w2s_jobs.contracts.model import Contract

__all__ = [
    "DatasetSource",
    "HubLocation",
    "ModelSource",
    "Parallelism",
    "Percent",
    "PromptTemplate",
    "PublishedSetting",
    "SamplingSettings",
    "ScratchModel",
    "Seed",
    "SelectionRule",
    "Sha256",
    "SplitName",
    "TaskSettings",
    "Threshold",
    "ThresholdRule",
    "TrainingSettings",
]

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", max_length=64)]
Percent = Annotated[int, Field(ge=0, le=100)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""What every generator takes; a larger one would be cut to this by some of them, and two seeds would be one."""
SplitName = Literal["pretrain", "labelled", "calibration", "unlabelled", "test", "extraTest"]
ThresholdRule = Literal["calibrated", "agreement"]
"""Ways to choose a threshold without gold of the unlabelled split (`core/threshold_rules.py`)."""
SelectionRule = Literal["reward", "confidence", "both", "random"]
"""What a weak label must pass to be learnt from: the reward model, a threshold of confidence, both, or a draw of as
many as the reward model keeps."""
Threshold = Percent | ThresholdRule | SelectionRule
"""What a branch of the sweep was filtered by: a confidence in percent, given or chosen by a rule, or another rule."""
PublishedSetting = Literal["llama3_gsm8k", "llama3_math", "deepseek_gsm8k", "deepseek_math"]
"""Settings of the paper `confidence` whose published numbers can be laid beside a run's own."""


class HubLocation(Contract):
    """A dataset or model on the Hugging Face hub, pinned to one revision."""

    name: str = Field(min_length=1, max_length=200)
    """name of the repository on the hub, `owner/name`"""
    revision: str = Field(pattern=r"^[0-9a-f]{7,40}$", max_length=40)
    """revision is the commit hash that is read; a branch or tag is refused, because it can move"""
    subset: str | None = Field(default=None, max_length=100)
    """subset (configuration) of a dataset repository; not for models"""


class DatasetSource(Contract):
    """Where the records come from. Exactly one of generated, path, s3, hub."""

    generated: bool = False
    """generated means that the task family makes its records itself (SCAN, from its grammar)"""
    path: str | None = Field(default=None, max_length=1000)
    """path of a local folder that holds the files of train and test"""
    s3: str | None = Field(default=None, pattern=r"^s3://", max_length=1000)
    """s3 prefix (`s3://bucket/prefix`) that holds the files of train and test"""
    hub: HubLocation | None = None
    """hub dataset with a pinned revision"""
    train: str | None = Field(default=None, max_length=200)
    """train file name there (.jsonl, .json, .csv, .tsv, .parquet, .txt); the family's usual name by default"""
    test: str | None = Field(default=None, max_length=200)
    """test file name under path or s3; the family's usual name by default"""
    pool: str | None = Field(default=None, max_length=200)
    """pool is one file that every split is cut from, for data without a test file; not with train or test"""
    sha256: dict[str, Sha256] = Field(default_factory=dict, max_length=16)
    """sha256 of each file by its name; `w2s` fills it in for a path, so that changed data is a changed key"""

    @model_validator(mode="after")
    def _exactly_one_place(self) -> DatasetSource:
        named = [
            name
            for name, given in (
                ("generated", self.generated),
                ("path", self.path),
                ("s3", self.s3),
                ("hub", self.hub),
            )
            if given
        ]
        if len(named) != 1:
            got = " and ".join(named) if named else "none"
            raise ValueError(f"exactly one of generated, path, s3, hub must be set; got {got}")
        return self


class TaskSettings(Contract):
    """A task family: how a record becomes a question, what an answer looks like, when two answers are equal."""

    family: FamilyName
    """family of the task; each is one file under w2s_jobs/tasks"""


class PromptTemplate(Contract):
    """How a question becomes a prompt (paper `confidence`, appendix A.3). Exactly one of name, text."""

    name: Literal["direct", "chat", "answer-only", "deepseek", "llama3-gsm8k", "llama3-math"] | None = None
    """name of a template of appendix A.3; or `chat`: the question as the user's turn of the model's chat template; or
    `answer-only`: the same, asking for the final answer without reasoning"""
    text: str | None = Field(default=None, max_length=8000)
    """text of a template of your own; `{question}` stands for the question"""
    chat: bool = False
    """chat wraps `text` as the user's turn of the model's own chat template"""

    @model_validator(mode="after")
    def _exactly_one(self) -> PromptTemplate:
        if (self.name is None) == (self.text is None):
            raise ValueError("exactly one of name, text must be set")
        if self.text is not None and "{question}" not in self.text:
            raise ValueError("text must contain {question}")
        return self


class ScratchModel(Contract):
    """A decoder built from random weights, tokenizer included (byte-level BPE learnt from its first training data)."""

    architecture: Literal["llama", "qwen2"] = "llama"
    """architecture whose Hugging Face class is used"""
    hidden_size: int = Field(ge=16, le=16384)
    """hiddenSize of the residual stream"""
    layers: int = Field(ge=1, le=200)
    """layers of the decoder"""
    heads: int = Field(ge=1, le=256)
    """heads of attention; must divide hiddenSize"""
    intermediate_size: int = Field(ge=16, le=65536)
    """intermediateSize of the feed-forward block"""
    max_positions: int = Field(default=512, ge=16, le=131072)
    """maxPositions is the longest sequence in tokens"""
    vocab_size: int = Field(default=512, ge=300, le=200000)
    """vocabSize is the most entries the learnt tokenizer may have"""
    seed: Seed = 0
    """seed of the random weights"""


class ModelSource(Contract):
    """Where a model's first weights come from. Exactly one of hub, path, s3, scratch."""

    hub: HubLocation | None = None
    """hub model with a pinned revision"""
    path: str | None = Field(default=None, max_length=1000)
    """path of a local folder in Hugging Face layout (safetensors)"""
    s3: str | None = Field(default=None, pattern=r"^s3://", max_length=1000)
    """s3 prefix of a folder in Hugging Face layout"""
    scratch: ScratchModel | None = None
    """scratch builds the model from random weights; it needs a pretrain stage to be of any use"""
    sha256: Sha256 | None = None
    """sha256 over the folder's files; `w2s` fills it in for a path"""

    @model_validator(mode="after")
    def _exactly_one_place(self) -> ModelSource:
        named = [name for name in ("hub", "path", "s3", "scratch") if getattr(self, name) is not None]
        if len(named) != 1:
            got = " and ".join(named) if named else "none"
            raise ValueError(f"exactly one of hub, path, s3, scratch must be set; got {got}")
        return self


class SamplingSettings(Contract):
    """How completions are drawn (paper `confidence`, appendix A.2)."""

    samples: int = Field(default=10, ge=1, le=1000)
    """samples of each question"""
    temperature: float = Field(default=0.6, ge=0, le=10)
    """temperature; 0 is greedy decoding and allows one sample only"""
    top_p: float = Field(default=0.9, gt=0, le=1)
    """topP of nucleus sampling"""
    max_tokens: int = Field(default=512, ge=1, le=131072)
    """maxTokens a completion may have"""
    stop: tuple[Annotated[str, Field(min_length=1, max_length=1000)], ...] = Field(default=(), max_length=16)
    """stop strings that end a completion, beside the model's end token"""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """dtype of the weights while sampling; auto is bfloat16 on a GPU and float32 on a CPU"""

    @model_validator(mode="after")
    def _greedy_is_single(self) -> SamplingSettings:
        if self.temperature == 0 and self.samples != 1:
            raise ValueError(f"temperature 0 is greedy decoding, which gives one completion, not {self.samples}")
        return self


class TrainingSettings(Contract):
    """Supervised fine-tuning of all parameters (paper `confidence`, appendix B)."""

    learning_rate: float = Field(default=1e-5, gt=0, le=1)
    """learningRate at its peak"""
    warmup_ratio: float = Field(default=0.1, ge=0, lt=1)
    """warmupRatio is the share of all steps in which the rate rises"""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """schedule of the learning rate after the warm-up"""
    weight_decay: float = Field(default=0.0, ge=0, lt=1)
    """weightDecay of AdamW"""
    global_batch_size: int = Field(default=128, ge=1, le=65536)
    """globalBatchSize in examples, over all ranks and accumulation steps"""
    epochs: float = Field(default=2, gt=0, le=10000)
    """epochs over the examples"""
    max_seq_len: int = Field(default=1024, ge=16, le=131072)
    """maxSeqLen in tokens; a longer example is cut on the left of its prompt, never in its completion"""
    packing: bool = False
    """packing puts several examples in one row without padding; attention does not cross their borders"""
    gradient_checkpointing: bool = False
    """gradientCheckpointing trades compute for memory"""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """dtype of training; auto is bfloat16 where the device has it, else float32"""


class Parallelism(Contract):
    """How a training is spread over devices. Changes rounding only, so it does not enter a key."""

    zero_stage: int | None = Field(default=None, ge=0, le=3)
    """zeroStage of DeepSpeed; null trains with plain PyTorch on one rank"""
    offload: bool = False
    """offload keeps DeepSpeed's optimizer state in the host's memory (zeroStage 2 and 3)"""
    ranks: int = Field(default=1, ge=1, le=1024)
    """ranks of data parallelism; more than one needs zeroStage"""
    micro_batch_size: int | None = Field(default=None, ge=1, le=65536)
    """microBatchSize is what one rank trains at once; null lets the trainer choose"""

    @model_validator(mode="after")
    def _consistent(self) -> Parallelism:
        if self.ranks > 1 and self.zero_stage is None:
            raise ValueError(f"ranks={self.ranks} needs zeroStage (0 is plain data parallelism)")
        if self.offload and self.zero_stage not in (2, 3):
            raise ValueError(f"offload needs zeroStage 2 or 3; got {self.zero_stage}")
        return self
