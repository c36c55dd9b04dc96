"""A step of the plan as the spec file of one process on this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from controller.local.machine import Share
from controller.plan.graph import Step
from w2s_jobs.contracts.steps import Execution, StepSpec, StoreSettings

__all__ = ["Start", "build_spec", "label_of"]


@dataclass(frozen=True)
class Start:
    """One start of a step, or of one of its shards."""

    attempt: str
    """name, unique among all starts of the step on all machines that share the store"""
    shard: int
    share: Share
    work_dir: Path


def build_spec(step: Step, store: StoreSettings, start: Start) -> StepSpec:
    """Build the spec of one start of a step."""
    return StepSpec(
        kind=step.kind,
        key=step.key,
        params=step.params.model_dump(mode="json", by_alias=True),
        inputs=dict(step.inputs),
        store=store,
        execution=Execution(
            attempt=start.attempt,
            work_dir=str(start.work_dir),
            threads=start.share.cores,
            gpus=len(start.share.gpus),
            shard=start.shard,
            shards=step.shards,
            parallelism=step.parallelism,
        ),
    )


def label_of(step: Step, shard: int = 0) -> str:
    """Name a step's files: its name as far as a file name can hold it, the key's first digits, and the shard."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", step.name).strip("-").lower()[:80]
    return f"{name}-{step.key[:8]}" + (f"-shard{shard}" if step.shards > 1 else "")
