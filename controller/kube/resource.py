"""The kinds of object that the controller reads and writes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from controller.api.labels import GROUP, KIND, KIND_PLURAL, VERSION

__all__ = ["EVENTS", "EXPERIMENTS", "JOBS", "LEASES", "PODS", "REFUSALS", "SERVICES", "WORKLOADS", "Resource"]


@dataclass(frozen=True)
class Resource:
    """A kind of object and where the API server has it."""

    group: str
    """API group; empty for the core group"""
    version: str
    plural: str
    """name in paths, in RBAC rules and in metrics"""
    kind: str
    namespaced: bool = True
    field_selector: str = ""
    """which of its objects are read; empty for all"""

    @property
    def api_version(self) -> str:
        """`apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Path of an object, or without a name of the list; of all namespaces when none is given."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if namespace and self.namespaced:
            parts += ["namespaces", namespace]
        return "/" + "/".join([*parts, self.plural, *(part for part in (name, subresource) if part)])


EXPERIMENTS = Resource(GROUP, VERSION, KIND_PLURAL, KIND)
JOBS = Resource("batch", "v1", "jobs", "Job")
PODS = Resource("", "v1", "pods", "Pod")
SERVICES = Resource("", "v1", "services", "Service")
EVENTS = Resource("", "v1", "events", "Event")
REFUSALS = replace(EVENTS, field_selector="involvedObject.kind=Job,reason=FailedCreate")
"""What the Job controller says of pods that the API server refuses it"""
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
WORKLOADS = Resource("kueue.x-k8s.io", "v1beta1", "workloads", "Workload")
"""Kueue's queue entries; only there when Kueue is installed"""
