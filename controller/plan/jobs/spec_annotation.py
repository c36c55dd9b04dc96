"""The StepSpec as an annotation of the pod template, which the pod reads as a file."""

from __future__ import annotations

import base64
import gzip

from controller.errors import InvalidExperiment
from controller.plan.graph import Step
from controller.plan.jobs.context import JobContext
from controller.plan.jobs.names import meeting_point
from w2s_jobs.contracts.keys import canonical_json
from w2s_jobs.contracts.steps import Execution, StepSpec

__all__ = ["build_spec", "may_be_long", "render_spec"]

_WORK_DIR = "/work/step"
PLAIN_BYTES = 100_000
"""A longer spec is compressed: every watcher of Jobs and pods gets it once more"""
_INPUT_BYTES = 200
"""More than an input of a spec has"""
MOST_BYTES = 250_000
"""The API server takes 256 KiB of annotations in all"""


def build_spec(step: Step, context: JobContext) -> StepSpec:
    """Build the spec that all attempts of a step share; attempt and index come from the pod's environment."""
    workers = context.installation.workers
    return StepSpec(
        kind=step.kind,
        key=step.key,
        params=step.params.model_dump(mode="json", by_alias=True),
        inputs=dict(step.inputs),
        store=context.store.settings,
        execution=Execution(
            work_dir=_WORK_DIR,
            threads=step.resources.threads,
            gpus=step.resources.gpus,
            shards=step.shards,
            nodes=step.resources.nodes,
            rendezvous=meeting_point(step, context.store),
            parallelism=step.parallelism,
            no_progress_seconds=workers.no_progress_seconds,
            grace_seconds=workers.grace_seconds,
        ),
    )


def may_be_long(step: Step) -> bool:
    """Tell, faster than by rendering it, whether a step's spec may be longer than is left plain."""
    inputs = sum(map(len, step.inputs.values()))
    return inputs * _INPUT_BYTES + len(step.params.model_dump_json(by_alias=True).encode()) > PLAIN_BYTES // 2


def render_spec(step: Step, context: JobContext) -> str:
    """Render the spec as JSON, or as gzip in base64 where it is long.

    Raises
    ------
    InvalidExperiment
        It does not fit into an annotation even so.
    """
    text = canonical_json(build_spec(step, context).model_dump(mode="json", by_alias=True))
    size = len(text.encode())
    if size <= PLAIN_BYTES:
        return text
    packed = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    if len(packed) > MOST_BYTES:
        raise InvalidExperiment(
            context.owner.name,
            [
                f"step '{step.name}' has a specification of {size} bytes ({len(packed)} compressed), and Kubernetes "
                f"takes {MOST_BYTES} of them with a Job; compare fewer points in one report, or split the experiment"
            ],
        )
    return packed
