"""How long an experiment waits for its first Job, and a step for the one before it, at a steady rate of experiments."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.cluster.follow import follow
from benchmarks.cluster.load import make_load
from benchmarks.cluster.machine import Usage
from benchmarks.cluster.site import Site, open_plane, open_site
from controller.kube.resource import PODS

__all__ = ["Latencies", "measure_latencies", "percentile"]

_NODES = 10
_JOB_OF_POD = re.compile(rb'"batch.kubernetes.io/job-name":"(w2s-[a-z]+-[0-9a-f-]+)"')
_ENDED = b'"phase":"Succeeded"'


@dataclass(frozen=True)
class Latencies:
    """Seconds, sorted. Each is the difference of two moments at which this process read something."""

    first_job: list[float]
    """from the answer to the experiment's creation to the event of its first Job"""
    after_job: list[float]
    """from the event that a Job is complete to that of the next step's; below 0 where the next came before"""
    after_pod: list[float]
    """from the event that a Job's pod has succeeded, which the Job controller counts up to a second later; those whose
    event this process has not read by the end are left out"""
    usage: Usage


def percentile(sorted_values: Sequence[float], percent: float) -> float:
    """Return the value below which so many percent of them are (nearest rank)."""
    return sorted_values[max(0, math.ceil(len(sorted_values) * percent / 100) - 1)]


def measure_latencies(experiments: int, a_second: float) -> Latencies:
    """Create experiments of five sequential steps at a steady rate."""
    with open_plane(_NODES) as plane:
        load = make_load(plane.folder / "store", experiments, "chain")
        with open_site(plane, load) as site:
            return _measure(site, a_second)


def _measure(site: Site, a_second: float) -> Latencies:
    pods: dict[str, float] = {}

    def take(line: bytes) -> None:
        if _ENDED in line and (found := _JOB_OF_POD.search(line)):
            pods.setdefault(found[1].decode(), time.monotonic())

    follow(site.plane, PODS, take)
    before = site.usage()
    answers = _create_steadily(site, a_second)
    site.wait_until_done(60 + 10 * len(site.load.manifests) / a_second)
    usage = site.usage() - before
    progress, jobs = site.progress, {where: name for name, where in site.load.steps.items()}
    follows = [(jobs[name, place - 1], job) for (name, place), job in jobs.items() if place]
    return Latencies(
        first_job=sorted(progress.created[jobs[name, 0]] - answer for name, answer in answers.items()),
        after_job=sorted(progress.created[after] - progress.completed.get(job, float("inf")) for job, after in follows),
        after_pod=sorted(progress.created[after] - pods[job] for job, after in follows if job in pods),
        usage=usage,
    )


def _create_steadily(site: Site, a_second: float) -> dict[str, float]:
    """Create one experiment after the other, each at its moment."""
    answers, clock = {}, threading.Event()
    began = time.monotonic()
    for number, manifest in enumerate(site.load.manifests):
        clock.wait(max(0.0, began + number / a_second - time.monotonic()))
        name, answer = site.create_one(manifest)
        answers[name] = answer
    return answers
