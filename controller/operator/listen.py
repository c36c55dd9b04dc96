"""What changes of the cluster's objects put into the work queue. Only economy: a needless pass writes nothing.

A change of an experiment or of a Job is acted on at once, and a pod whose work is done: the Job controller gathers the
ends of pods for a second before it says so. What else pods, refusals and queues tell is only shown: changes of one
experiment are gathered into one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from controller.kube.api import Object
from controller.kube.informer import Informer
from controller.kube.work_queue import WorkQueue
from controller.operator.cluster import Cluster, Name
from controller.operator.wake import experiments_of_job, jobs_moved, pod_succeeded, pods_moved

__all__ = ["listen"]

_PAUSE = 0.25
"""Seconds in which changes that are only shown are gathered"""

Moved = Callable[[Object | None, Object | None], bool]
"""Tells whether a change from one object to another matters"""


def listen(cluster: Cluster, queue: WorkQueue[Name]) -> None:
    """Put the experiments that a change concerns into the queue, from now on."""
    cluster.experiments.on_change(lambda old, new: _experiment(queue, old, new))
    cluster.jobs.on_change(lambda old, new: _job(queue, old, new))
    _gather(queue, cluster.pods, cluster.experiments_of_pod, pods_moved, pod_succeeded)
    _gather(queue, cluster.refusals, cluster.experiments_of_refusal)
    if cluster.workloads is not None:
        _gather(queue, cluster.workloads, cluster.experiments_of_workload)


def _experiment(queue: WorkQueue[Name], old: Object | None, new: Object | None) -> None:
    metadata = (new or old or {})["metadata"]
    # Our own writes of the status come back as changes: only one that is gone, or that others made, matters.
    same = old is not None and new is not None and old["metadata"]["generation"] == metadata["generation"]
    if not same or metadata.get("deletionTimestamp") or (new or {}).get("status") != (old or {}).get("status"):
        queue.add(Name(metadata["namespace"], metadata["name"]))


def _job(queue: WorkQueue[Name], old: Object | None, new: Object | None) -> None:
    if jobs_moved(old, new):
        for name in experiments_of_job(new or old or {}):
            queue.add(Name(*name))


def _gather(
    queue: WorkQueue[Name],
    informer: Informer,
    experiments: Callable[[Object], Iterable[Name]],
    moved: Moved = lambda _old, _new: True,
    at_once: Moved = lambda _old, _new: False,
) -> None:
    def changed(old: Object | None, new: Object | None) -> None:
        if moved(old, new):
            pause = 0.0 if at_once(old, new) else _PAUSE
            for name in experiments(new or old or {}):
                queue.add_after(name, pause)

    informer.on_change(changed)
