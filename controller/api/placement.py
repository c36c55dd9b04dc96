"""Where steps run and on what. Nothing here enters a key: it changes cost and speed, never what is computed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from w2s_jobs.contracts.model import Contract

__all__ = [
    "CpuPlacement",
    "GpuType",
    "Placement",
    "Pool",
    "SamplingPlacement",
    "TrainingParallelism",
    "TrainingPlacement",
]

GpuType = Literal["A100-40GB", "A100-80GB", "B200-180GB", "H100-80GB", "H200-141GB", "L4-24GB", "L40S-48GB"]


class Pool(Contract):
    """Nodes of one kind."""

    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", max_length=63)
    """name by which a placement asks for it"""
    gpu: GpuType
    """gpu type of the nodes"""
    gpus_per_node: int = Field(default=1, ge=1, le=64)
    """gpusPerNode of one node"""
    nodes: int = Field(default=1, ge=1, le=10000)
    """nodes at most"""
    host_memory: float | None = Field(default=None, gt=0, le=100000)
    """hostMemory of one node in GB, into which a training must fit; null takes what it asks for (`w2s plan -o json`)"""
    price_per_gpu_hour: float | None = Field(default=None, ge=0, le=10000)
    """pricePerGpuHour in a currency of your own; `w2s plan` multiplies it with the estimate"""


class CpuPlacement(Contract):
    """A step that never needs a GPU."""

    threads: int = Field(default=1, ge=1, le=1024)
    """threads of a process"""


class SamplingPlacement(Contract):
    """Where completions are drawn. On a pool, what is not set is chosen from the model's size (docs/placement.md)."""

    pool: str | None = Field(default=None, max_length=63)
    """pool that the processes run on; none runs them on CPUs"""
    gpus: int | None = Field(default=None, ge=0, le=64)
    """gpus of one process, over which the model is divided (tensor parallelism); the fewest that hold it by default"""
    threads: int = Field(default=1, ge=1, le=1024)
    """threads of one process"""
    shards: int | None = Field(default=None, ge=1, le=1024)
    """shards: processes that share the rows of one sampling; by default as many as pay for their start, 1 on CPUs"""
    sequences: int = Field(default=32, ge=1, le=1024)
    """sequences of full length for which the GPUs must have room beside the model"""


class TrainingParallelism(Contract):
    """How a training is spread. On a pool, what is null is chosen; on CPUs it means plain PyTorch on one rank."""

    zero_stage: int | None = Field(default=None, ge=0, le=3)
    """zeroStage of DeepSpeed; null chooses it, or on one rank plain PyTorch"""
    offload: bool | None = None
    """offload keeps DeepSpeed's optimizer state in the host's memory (zeroStage 2 and 3); null does it where nothing
    else fits"""
    ranks: int | None = Field(default=None, ge=1, le=1024)
    """ranks of data parallelism, a GPU each; null takes the fewest that hold the training"""
    micro_batch_size: int | None = Field(default=None, ge=1, le=65536)
    """microBatchSize is what one rank trains at once; null fills 8,192 tokens, or what fits. globalBatchSize stays"""

    @model_validator(mode="after")
    def _offload_has_a_stage(self) -> TrainingParallelism:
        if self.offload and self.zero_stage in (0, 1):
            raise ValueError(f"offload needs zeroStage 2 or 3; got {self.zero_stage}")
        return self


class TrainingPlacement(Contract):
    """Where models are trained. On a pool, what is not set is chosen from the model's size (docs/placement.md)."""

    pool: str | None = Field(default=None, max_length=63)
    """pool that the process runs on; none runs it on CPUs"""
    gpus: int | None = Field(default=None, ge=0, le=1024)
    """gpus of one training on all its nodes, one for each rank"""
    nodes: int | None = Field(default=None, ge=1, le=1024)
    """nodes over which one training is spread evenly; the fewest that have its ranks by default. Without a pool: nodes
    of CPUs, which needs zeroStage and ranks"""
    threads: int = Field(default=1, ge=1, le=1024)
    """threads of one training"""
    parallelism: TrainingParallelism = TrainingParallelism()
    """parallelism over the gpus: ranks, ZeRO stage, micro-batch"""


class Placement(Contract):
    """Who runs where, by what the steps do."""

    weak_sampling: SamplingPlacement = SamplingPlacement()
    """weakSampling: completions of the weak model"""
    strong_sampling: SamplingPlacement = SamplingPlacement()
    """strongSampling: completions of strong models, for relabelling and for evaluation"""
    training: TrainingPlacement = TrainingPlacement()
    """training of every model"""
    grading: CpuPlacement = CpuPlacement()
    """grading: answer extraction and votes"""
    on_misfit: Literal["stop", "warn"] = "stop"
    """onMisfit: stop where the arithmetic says that a model does not fit its GPUs, or warn and try"""
