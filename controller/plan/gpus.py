"""What the estimate knows of GPU types: the vendors' published figures for dense bfloat16, without sparsity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from controller.api.placement import GpuType

__all__ = ["GPUS", "Gpu"]


@dataclass(frozen=True)
class Gpu:
    """One type of GPU."""

    peak_flops: float
    """bfloat16 operations a second, dense"""
    bandwidth: float
    """bytes a second between its memory and its cores"""
    memory: float
    """bytes of memory"""


GPUS: Mapping[GpuType, Gpu] = {
    "A100-40GB": Gpu(312e12, 1.555e12, 40e9),
    "A100-80GB": Gpu(312e12, 2.039e12, 80e9),
    "B200-180GB": Gpu(2250e12, 8.0e12, 180e9),
    "H100-80GB": Gpu(989e12, 3.35e12, 80e9),
    "H200-141GB": Gpu(989e12, 4.8e12, 141e9),
    "L4-24GB": Gpu(121e12, 0.3e12, 24e9),
    "L40S-48GB": Gpu(362e12, 0.864e12, 48e9),
}
"""NVIDIA's data sheets of each type (SXM where there are several)"""
