"""Labels, annotations and names that objects on a cluster carry. They are API: people select by them."""

from __future__ import annotations

__all__ = [
    "FIELD_MANAGER",
    "GROUP",
    "JOB_NAME",
    "KEY",
    "KIND",
    "KIND_PLURAL",
    "MANAGED_BY",
    "MANAGER",
    "QUEUE",
    "SPEC",
    "STEP_KIND",
    "STEP_NAME",
    "VERSION",
]

GROUP = "w2s.dev"
VERSION = "v1alpha1"
KIND = "WeakToStrongExperiment"
KIND_PLURAL = "weaktostrongexperiments"

FIELD_MANAGER = "w2s-controller"
"""Field manager of what belongs to one experiment alone. A shared Job is applied by one manager an experiment, so that
the API server itself merges their owner references and drops one without touching the others."""

MANAGED_BY = "app.kubernetes.io/managed-by"
"""Label of every object that the controller makes; its watches select by it"""
MANAGER = "w2s"
"""Value of that label"""
STEP_KIND = "w2s.dev/kind"
"""Label: kind of the step, such as `sample`"""
KEY = "w2s.dev/key"
"""Label: first 63 hex digits of the step's key (a label's value holds no more)"""
STEP_NAME = "w2s.dev/step"
"""Annotation: name of the step for people, such as `train round 1 t=50 seed 0`"""
SPEC = "w2s.dev/spec"
"""Annotation of the pod template: the StepSpec as JSON, which the pod reads as a file"""
JOB_NAME = "batch.kubernetes.io/job-name"
"""Label that the Job controller gives its pods: name of the Job"""
QUEUE = "kueue.x-k8s.io/queue-name"
"""Label by which Kueue takes a Job into a queue"""
