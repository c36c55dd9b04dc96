"""Libraries that torch and transformers import wherever they find them, and that no step calls on a CPU.

They are an eighth to a quarter of the CPU time before the work of a step begins (benchmarks/step_start.py), and a small
step has little more work than that.
"""

from __future__ import annotations

import sys

from w2s_jobs.contracts.steps import StepSpec

__all__ = ["UNUSED", "leave_out", "unused_by"]

UNUSED = ("PIL", "scipy", "torchvision", "triton")
"""image losses and their matching; kernels for GPUs"""
_LOADS_TORCH = ("sample", "score", "train")
"""kinds of steps that load a model; others may well use scipy"""


def unused_by(spec: StepSpec) -> tuple[str, ...]:
    """Return what a step does not use. With a GPU, and with vLLM, which looks for more, it may be all."""
    if spec.kind not in _LOADS_TORCH or spec.execution.gpus or spec.params.get("engine") == "vllm":
        return ()
    return UNUSED


def leave_out(names: tuple[str, ...]) -> None:
    """Let libraries look as if they were not installed, to whoever looks from now on."""
    for name in names:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # documented: its import fails
