"""Experiments that are finished, or run and do not change: what the controller does meanwhile, and what it holds."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

from benchmarks.cluster.drain import drain_site
from benchmarks.cluster.load import make_load
from benchmarks.cluster.site import Site, open_plane, open_site

__all__ = ["InFlight", "Quiet", "hold_in_flight", "rest_finished", "rest_running"]

_PAUSE = 65.0
"""Seconds; longer than a status is held back"""
_LONG = "24h"
"""How long pods run that are not to end"""
_PODS_OF_A_NODE = 150


@dataclass(frozen=True)
class Quiet:
    """A while in which nothing changed."""

    experiments: int
    seconds: float
    cpu: float
    """share of one core that the controller used"""
    writes: Counter[str]


@dataclass(frozen=True)
class InFlight:
    """Jobs that all run."""

    jobs: int
    seconds: float
    """until the last pod ran and the controller wrote nothing more"""
    memory: float
    """resident memory of the controller then, in MB"""
    peak: float
    """most of it until then, in MB"""
    quiet: Quiet


def rest_finished(experiments: int, seconds: float) -> Quiet:
    """Watch the controller after experiments of one step have come to their end."""
    with open_plane(10) as plane:
        load = make_load(plane.folder / "store", experiments, "one")
        with open_site(plane, load) as site:
            drain_site(site, 900)
            _settle(site)
            return _watch(site, seconds)


def rest_running(experiments: int, seconds: float) -> Quiet:
    """Watch the controller while experiments run one long step each."""
    with open_plane(10) as plane:
        load = make_load(plane.folder / "store", experiments, "chain", _LONG)
        with open_site(plane, load) as site:
            site.create(load.manifests)
            site.progress.wait("a Job for each", lambda: len(site.progress.created) >= experiments, 300)
            _settle(site)
            return _watch(site, seconds)


def hold_in_flight(experiments: int, seconds: float) -> InFlight:
    """Let experiments run five long steps each beside each other."""
    jobs = 5 * experiments
    with open_plane(2 + jobs // _PODS_OF_A_NODE) as plane:
        load = make_load(plane.folder / "store", experiments, "wide", _LONG)
        with open_site(plane, load) as site:
            began = site.usage()
            site.create(load.manifests)
            site.progress.wait("five Jobs for each", lambda: len(site.progress.created) >= jobs, 1200)
            _settle(site)
            took = (site.usage() - began).clock
            memory, peak = site.controller.memory, site.controller.peak_memory
            return InFlight(jobs, took, memory, peak, _watch(site, seconds))


def _settle(site: Site) -> None:
    """Wait until the controller has written nothing for a while."""
    clock, before = threading.Event(), None
    for _ in range(20):
        now = site.controller.writes()
        if now == before:
            return
        before = now
        clock.wait(_PAUSE)
    raise TimeoutError(f"the controller goes on writing: {before}")


def _watch(site: Site, seconds: float) -> Quiet:
    written, before = site.controller.writes(), site.usage()
    threading.Event().wait(seconds)
    used = site.usage() - before
    return Quiet(
        experiments=len(site.load.manifests),
        seconds=used.clock,
        cpu=used.programs["controller"] / used.clock,
        writes=site.controller.writes() - written,
    )
