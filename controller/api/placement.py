"""Where steps run and on what. Nothing here enters a key: it changes cost and speed, never what is computed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.settings import Parallelism

__all__ = ["CpuPlacement", "GpuType", "Placement", "Pool", "SamplingPlacement", "TrainingPlacement"]

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
    price_per_gpu_hour: float | None = Field(default=None, ge=0, le=10000)
    """pricePerGpuHour in a currency of your own; `w2s plan` multiplies it with the estimate"""


class CpuPlacement(Contract):
    """A step that never needs a GPU."""

    threads: int = Field(default=1, ge=1, le=1024)
    """threads of a process"""


class SamplingPlacement(Contract):
    """Where completions are drawn."""

    pool: str | None = Field(default=None, max_length=63)
    """pool that the processes run on; none runs them on CPUs"""
    gpus: int | None = Field(default=None, ge=0, le=64)
    """gpus of one process; 1 by default on a pool, 0 without one"""
    threads: int = Field(default=1, ge=1, le=1024)
    """threads of one process"""
    shards: int = Field(default=1, ge=1, le=1024)
    """shards: processes that share the rows of one sampling"""


class TrainingPlacement(Contract):
    """Where models are trained."""

    pool: str | None = Field(default=None, max_length=63)
    """pool that the process runs on; none runs it on CPUs"""
    gpus: int | None = Field(default=None, ge=0, le=1024)
    """gpus of one training; as many as ranks by default on a pool, 0 without one"""
    threads: int = Field(default=1, ge=1, le=1024)
    """threads of one training"""
    parallelism: Parallelism = Parallelism()
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
