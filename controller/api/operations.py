"""How and where an experiment runs, and when it ends. Nothing here enters a key or the report.

A local run reads pools, placement and storage; the rest is for a cluster.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from controller.api.placement import Placement, Pool
from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.steps import StoreSettings

__all__ = ["Operations", "PodMetadata", "PodTemplate", "Storage"]

ObjectName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", max_length=253)]
LabelText = Annotated[str, Field(max_length=63)]
AnnotationText = Annotated[str, Field(max_length=10_000)]

_TEN_YEARS = 315_360_000
"""Seconds. A larger time is a slip, not a wish."""


class Storage(Contract):
    """Where artifacts lie. Exactly one of name, uri."""

    name: str | None = Field(default=None, pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", max_length=63)
    """name of a store of the installation, on a cluster"""
    uri: str | None = Field(default=None, pattern=r"^(file|s3)://", max_length=1000)
    """uri of the root: `file:///folder` or `s3://bucket/prefix`"""
    endpoint: str | None = Field(default=None, max_length=500)
    """endpoint URL of an S3 server that is not AWS; beside uri"""
    region: str | None = Field(default=None, max_length=50)
    """region of the bucket; beside uri"""

    @model_validator(mode="after")
    def _exactly_one(self) -> Storage:
        if (self.name is None) == (self.uri is None):
            got = "none" if self.name is None else "name and uri"
            raise ValueError(f"exactly one of name, uri must be set; got {got}")
        if self.name is not None and (self.endpoint or self.region):
            raise ValueError("the store that name names has its own endpoint and region. Remove them, or give a uri")
        return self

    @property
    def settings(self) -> StoreSettings | None:
        """The store as it is given here; None where only its name is."""
        if self.uri is None:
            return None
        return StoreSettings(uri=self.uri, endpoint=self.endpoint, region=self.region)


class PodMetadata(Contract):
    """What people select and count pods by."""

    labels: dict[str, LabelText] = Field(default_factory=dict, max_length=64)
    """labels of the pods, beside those of w2s"""
    annotations: dict[str, AnnotationText] = Field(default_factory=dict, max_length=64)
    """annotations of the pods, beside those of w2s"""


class PodTemplate(Contract):
    """What is laid over the pods that w2s makes. It adds to them, and cannot change what a step computes."""

    metadata: PodMetadata = PodMetadata()
    """metadata: labels and annotations"""
    spec: dict[str, Any] = Field(default_factory=dict, max_length=64)
    """spec as of a pod, such as volumes, nodeSelector, tolerations; env, volumeMounts, resources are the worker's"""


class Operations(Contract):
    """How and where, not what: no field here enters a key or the report."""

    pools: tuple[Pool, ...] = Field(default=(), max_length=32)
    """pools of GPUs that placement may name"""
    placement: Placement = Placement()
    """placement of the steps; CPUs only by default"""
    storage: Storage | None = None
    """storage of artifacts; `--store` overrides it. By default a local folder, or the default of the cluster"""
    suspend: bool = False
    """suspend stops the steps after they saved what they have, and frees their GPUs; false goes on"""
    priority_class_name: ObjectName | None = None
    """priorityClassName of the pods on a cluster"""
    queue: ObjectName | None = None
    """queue: the LocalQueue of Kueue that admits the steps on a cluster"""
    max_parallel_steps: int | None = Field(default=None, ge=1, le=10_000)
    """maxParallelSteps that run at once on a cluster; without it the cluster's room is the limit"""
    active_deadline_seconds: int | None = Field(default=None, ge=1, le=_TEN_YEARS)
    """activeDeadlineSeconds from the start, after which the experiment fails and its steps are stopped"""
    ttl_seconds_after_finished: int | None = Field(default=None, ge=0, le=_TEN_YEARS)
    """ttlSecondsAfterFinished, after which a cluster deletes the experiment; its artifacts and report stay"""
    image: str | None = Field(default=None, min_length=1, max_length=1000)
    """image of the workers on a cluster; the installation's by default"""
    pod_template: PodTemplate = PodTemplate()
    """podTemplate that is laid over the pods on a cluster"""
