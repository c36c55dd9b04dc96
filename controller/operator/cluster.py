"""The cluster as a pass sees it: copies kept by watches, and the few writes that a pass makes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from controller.api.labels import FIELD_MANAGER, KIND, MANAGED_BY, MANAGER
from controller.kube.api import KubeApi
from controller.kube.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from controller.kube.informer import Informer
from controller.kube.resource import EVENTS, EXPERIMENTS, JOBS, PODS, REFUSALS, SERVICES, WORKLOADS
from controller.operator.wake import experiments_of_job
from controller.plan.graph import Step
from controller.plan.jobs import JobContext, Owner, build_job, build_join, build_release, build_service, job_name
from controller.plan.jobs.names import field_manager
from controller.plan.standing.projection import (
    JOB_NAME,
    JOB_UID,
    project_event,
    project_job,
    project_pod,
    project_workload,
)
from controller.plan.standing.refusals import Refusal, refusals_by_job

__all__ = ["Cluster", "Name"]

log = logging.getLogger(__name__)

Object = Mapping[str, Any]
_OURS = f"{MANAGED_BY}={MANAGER}"


class Name(NamedTuple):
    """Name of an experiment: the key of the work queue."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Cluster:
    """Informers of all that a pass reads, and the writes. Each write is idempotent: a repeated pass harms nothing."""

    api: KubeApi
    """the writer, behind the fence of the leader"""
    experiments: Informer
    jobs: Informer
    pods: Informer
    refusals: Informer
    """Events of the Job controller on pods that it may not create"""
    workloads: Informer | None = None
    """Kueue's view of the Jobs, where Kueue is installed"""

    @classmethod
    def watch(cls, reader: KubeApi, writer: KubeApi, namespaces: Sequence[str], *, kueue: bool = False) -> Cluster:
        """Build the informers; `start` begins to watch."""
        where: dict[str, Any] = {"namespaces": namespaces}
        ours = {**where, "label_selector": _OURS}
        by_job = {"job": _job_uid}
        return cls(
            api=writer,
            experiments=Informer(reader, EXPERIMENTS, **where, project=_without_managed_fields),
            jobs=Informer(reader, JOBS, **ours, project=project_job, indexers={"owner": _experiment_uids}),
            pods=Informer(reader, PODS, **ours, project=project_pod, indexers=by_job),
            refusals=Informer(reader, REFUSALS, **where, project=project_event, indexers={"job": _refused_uid}),
            workloads=Informer(reader, WORKLOADS, **where, project=project_workload, indexers={"job": _queued_uid})
            if kueue
            else None,
        )

    @property
    def informers(self) -> tuple[Informer, ...]:
        """All of them."""
        always = (self.experiments, self.jobs, self.pods, self.refusals)
        return always if self.workloads is None else (*always, self.workloads)

    def check_seen(self, namespace: str) -> None:
        """See that nothing of a namespace is hidden: who does not see a Job would make it anew.

        Raises
        ------
        KubeError
            Objects of one kind in it have never been listed, and why.
        """
        for informer in self.informers:
            if (problem := informer.unseen(namespace)) is not None:
                raise problem.with_traceback(None)

    def owned_jobs(self, uid: str) -> list[Object]:
        """Return the Jobs that an experiment owns, alone or with others."""
        return list(self.jobs.by_index("owner", uid))

    def pods_of(self, job: Object) -> list[Object]:
        """Return the pods of a Job."""
        return list(self.pods.by_index("job", job["metadata"]["uid"]))

    def refusals_of(self, uids: Iterable[str]) -> dict[str, Refusal]:
        """Return what was said last of the pods of Jobs, by the Job's uid."""
        return refusals_by_job(event for uid in uids for event in self.refusals.by_index("job", uid))

    def workloads_of(self, uids: Iterable[str]) -> dict[str, Object]:
        """Return Kueue's Workloads of Jobs, by the Job's uid."""
        if self.workloads is None:
            return {}
        return {uid: found[0] for uid in uids if (found := self.workloads.by_index("job", uid))}

    def experiments_of_refusal(self, event: Object) -> list[Name]:
        """Return the experiments that own the Job whose pod was refused."""
        return self._experiments_of(event["metadata"]["namespace"], event["involvedObject"].get("name", ""))

    def experiments_of_workload(self, workload: Object) -> list[Name]:
        """Return the experiments that own the Job that waits in a queue."""
        names = [one["name"] for one in workload["metadata"].get("ownerReferences") or () if one["kind"] == "Job"]
        return self._experiments_of(workload["metadata"]["namespace"], names[0]) if names else []

    def experiments_of_pod(self, pod: Object) -> list[Name]:
        """Return the experiments that own a pod's Job; none while the Job is not known."""
        name = (pod["metadata"].get("labels") or {}).get(JOB_NAME, "")
        return self._experiments_of(pod["metadata"]["namespace"], name)

    def start_step(self, step: Step, context: JobContext) -> None:
        """Create the step's Job, or join it where another experiment was first.

        Raises
        ------
        KubeError
            Forbidden where a quota or an admission rule refuses the Job, Invalid where the API server itself does.
        InvalidExperiment
            The installation or the experiment's pod template cannot make this Job.
        """
        job = build_job(step, context)
        self._serve(step, context)
        try:
            self.jobs.note(self.api.apply(JOBS, job, field_manager(context.owner)))
        except (Conflict, Invalid):  # either it is there, and otherwise than this one, or no such Job can be
            there = self._find(job)
            if there is None:
                raise
            self.join_step(step, context, there["metadata"]["uid"])

    def join_step(self, step: Step, context: JobContext, uid: str) -> None:
        """Own the Job with this uid, which is there already, and the Service of its pods.

        Raises
        ------
        Invalid, NotFound
            There is another Job of that name by now, or none.
        """
        self._serve(step, context)
        name, namespace = job_name(step, context.store), context.owner.namespace
        self.jobs.note(self.api.strategic_patch(JOBS, name, namespace, build_join(uid, context.owner)))

    def leave(self, job: Object, owner: Owner) -> None:
        """Stop a Job that only this experiment owns; of a shared one take only the own reference off.

        Raises
        ------
        Conflict
            Somebody changed it meanwhile: another experiment may have joined it.
        """
        metadata = job["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        others = [uid for uid in _experiment_uids(job) if uid != owner.uid]
        try:
            if others:
                self.jobs.note(self.api.strategic_patch(JOBS, name, namespace, build_release(metadata["uid"], owner)))
            else:
                # As it was looked at: another experiment may have joined it since. The Job keeps its name until its
                # pods have ended, so that no other attempt of the step begins before.
                this = {"uid": metadata["uid"], "resource_version": metadata["resourceVersion"]}
                self.api.delete(JOBS, name, namespace, **this, propagation="Foreground")
        except NotFound:  # it went by itself
            return

    def _serve(self, step: Step, context: JobContext) -> None:
        """Own the Service of a training on many nodes, creating it where it is not there."""
        service = build_service(step, context)
        if service is not None:
            self.api.apply(SERVICES, service, field_manager(context.owner), force=True)

    def write_status(self, name: Name, status: Object) -> None:
        """Write the whole status."""
        body = {"metadata": {"namespace": name.namespace, "name": name.name}, "status": status}
        written = self.api.apply(EXPERIMENTS, body, FIELD_MANAGER, force=True, subresource="status")
        self.experiments.note(written)

    def post(self, event: dict[str, Any]) -> None:
        """Post an event, once: its name is a function of what it says. Where it is forbidden, the status must do."""
        try:
            self.api.create(EVENTS, event)
        except AlreadyExists:
            return
        except Forbidden as refused:  # such as by a quota for events, or because the namespace is being deleted
            log.warning("%s", refused)

    def delete_experiment(self, obj: Object) -> None:
        """Delete an experiment whose time to live is over."""
        metadata = obj["metadata"]
        try:
            name, namespace, version = metadata["name"], metadata["namespace"], metadata["resourceVersion"]
            self.api.delete(EXPERIMENTS, name, namespace, uid=metadata["uid"], resource_version=version)
        except NotFound:
            return

    def _find(self, job: Object) -> Object | None:
        """Ask for a Job that the watch may not have told of yet."""
        try:
            return self.api.get(JOBS, job["metadata"]["name"], job["metadata"]["namespace"])
        except NotFound:
            return None

    def _experiments_of(self, namespace: str, job_name: str) -> list[Name]:
        job = self.jobs.get(namespace, job_name)
        return [] if job is None else [Name(*one) for one in experiments_of_job(job)]


def _without_managed_fields(obj: dict[str, Any]) -> dict[str, Any]:
    return {**obj, "metadata": {name: value for name, value in obj["metadata"].items() if name != "managedFields"}}


def _experiment_uids(job: Object) -> list[str]:
    return [owner["uid"] for owner in job["metadata"].get("ownerReferences") or () if owner["kind"] == KIND]


def _refused_uid(event: Object) -> list[str]:
    uid = event.get("involvedObject", {}).get("uid")
    return [uid] if uid else []


def _queued_uid(workload: Object) -> list[str]:
    return [owner["uid"] for owner in workload["metadata"].get("ownerReferences") or () if owner["kind"] == "Job"]


def _job_uid(pod: Object) -> list[str]:
    uid = (pod["metadata"].get("labels") or {}).get(JOB_UID)
    return [uid] if uid else []
