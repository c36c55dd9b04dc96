"""Experiments created at once, until the last one has succeeded."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from benchmarks.cluster.load import Left, make_load
from benchmarks.cluster.machine import Usage
from benchmarks.cluster.site import Site, open_plane, open_site

__all__ = ["Drained", "drain"]

_NODES = 10


@dataclass(frozen=True)
class Drained:
    """What a drain took."""

    experiments: int
    jobs: int
    seconds: float
    """from before the first experiment was created until the last was seen to have succeeded"""
    creating: float
    """seconds until the API server had taken all experiments"""
    jobs_a_second: float
    """Jobs created, between the first and the last of them"""
    memory: float
    """most resident memory of the controller, in MB"""
    usage: Usage
    """CPU time meanwhile"""
    writes: Counter[str]
    """writes of the controller by verb and resource"""


def drain(experiments: int, left: Left, workers: int | None = None, seconds: float = 900) -> Drained:
    """Drain experiments on a control plane of its own."""
    with open_plane(_NODES) as plane:
        load = make_load(plane.folder / "store", experiments, left)
        with open_site(plane, load, workers) as site:
            return drain_site(site, seconds)


def drain_site(site: Site, seconds: float) -> Drained:
    """Create the experiments of a site and wait for their end."""
    before, written = site.usage(), site.controller.writes()
    began = time.monotonic()
    answers = site.create(site.load.manifests)
    site.wait_until_done(seconds)
    took = max(site.progress.succeeded.values()) - began
    usage = site.usage() - before
    created = site.progress.created
    assert set(created) == set(site.load.steps), "Jobs were created that nobody asked for, or are missing"
    span = max(created.values()) - min(created.values())
    return Drained(
        experiments=len(answers),
        jobs=len(created),
        seconds=took,
        creating=max(answers.values()) - began,
        jobs_a_second=(len(created) - 1) / span if span else 0.0,
        memory=site.controller.peak_memory,
        usage=usage,
        writes=site.controller.writes() - written,
    )
