"""Whatever happens to the controller and to its connection, an experiment comes to the same end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from controller.kube.api import KubeApi
from controller.kube.backoff import Backoff
from controller.kube.connect import open_api
from controller.kube.lease_record import Timing
from controller.kube.list_watch import Rhythm
from controller.kube.resource import EXPERIMENTS, JOBS, LEASES, PODS
from controller.operator.metrics import Metrics
from controller.operator.operator import Operator, Options
from tests.support.api_proxy import ApiProxy
from tests.support.control_plane import ControlPlane
from tests.support.operator_process import NAMESPACE, install, running
from tests.support.small_run import STEPS, SmallRun, small_run

BRIEF = Timing(lease_seconds=6, renew_deadline=5, retry_seconds=0.1)
"""of a controller that will vanish: its Lease runs out soon"""
STEADY = Timing(lease_seconds=15, renew_deadline=10, retry_seconds=0.1)
LONG = Timing(lease_seconds=600, renew_deadline=500, retry_seconds=0.1)
AT_ONCE = 4
"""experiments of one test that run beside each other"""
BARELY = Backoff(first=0.02, cap=0.2)
"""of watches that are ended again and again: they come back before the next one is ended"""
WATCHED = (EXPERIMENTS.plural, JOBS.plural, PODS.plural)


@dataclass(frozen=True)
class Bench:
    """A cluster, and the ways of a controller to it."""

    cluster: ControlPlane
    proxy: ApiProxy
    direct: KubeApi
    """as the controller's service account, without faults"""
    through: KubeApi
    """as the controller's service account, through the proxy"""
    folder: Path

    def new_run(self) -> AbstractContextManager[SmallRun]:
        """Make an experiment ready."""
        return small_run(open_api(self.cluster.kubeconfig), self.folder, "faults")

    def wait_for(self, what: str, is_there: Callable[[], bool]) -> None:
        """Ask until it is so, for a minute."""
        self.cluster.wait_for(what, is_there)

    def writes_of(self, run: SmallRun) -> int:
        """Count what controllers wrote through the proxy."""
        return sum(write.namespace == run.namespace for write in self.proxy.writes)

    def expire_lease(self, run: SmallRun) -> None:
        """Let the Lease of a killed controller run out now; test_lease.py waits for that."""
        open_api(self.cluster.kubeconfig).delete(LEASES, Options.lease, run.lease)

    def finish(self, run: SmallRun) -> dict[str, Any]:
        """Wait for the end of an experiment and return what it came to."""
        self.wait_for("the end of the experiment", lambda: run.succeeded)
        return run.outcome()


@pytest.fixture(scope="module")
def plane(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    install(control_plane)
    with ApiProxy(control_plane) as proxy:
        direct = open_api(control_plane.kubeconfig_for(NAMESPACE, "w2s-controller"))
        through = open_api(proxy.kubeconfig_for(NAMESPACE, "w2s-controller"))
        yield Bench(control_plane, proxy, direct, through, tmp_path_factory.mktemp("stores"))


@pytest.fixture
def bench(plane: Bench) -> Iterator[Bench]:
    yield plane
    plane.proxy.heal()


@pytest.fixture(scope="module")
def undisturbed(plane: Bench) -> dict[str, Any]:
    """What an experiment comes to when nothing happens."""
    with plane.new_run() as run, running(controller(plane.direct, run)):
        run.submit()
        outcome = plane.finish(run)
    assert len(outcome["jobs"]) == STEPS
    assert outcome["events"] == ["Started", "Succeeded"]
    assert set(outcome["Jobs of each step"].values()) == {1}
    return outcome


def controller(api: KubeApi, run: SmallRun, timing: Timing = STEADY, rhythm: Rhythm | None = None) -> Operator:
    """Make a controller ready to run; each run of an experiment has a Lease of its own."""
    options = Options(run.lease, workers=2, health=("127.0.0.1", 0), timing=timing, rhythm=rhythm)
    return Operator(api, run.installation, Metrics(), options)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_controller_killed_at_any_write_and_started_again_comes_to_the_same_end(
    bench: Bench, undisturbed: dict[str, Any], moment: str
) -> None:
    def is_killed_at(write: int) -> bool:
        with ApiProxy(bench.cluster) as proxy, bench.new_run() as run:
            (proxy.cut_before_write if moment == "before" else proxy.cut_after_write)(write, stay_down=True)
            with running(controller(open_api(proxy.kubeconfig_for(NAMESPACE, "w2s-controller")), run)):
                run.submit()
                bench.wait_for("the cut, or the end", lambda: proxy.has_cut.is_set() or run.succeeded)
            bench.expire_lease(run)
            with running(controller(bench.direct, run)):
                assert bench.finish(run) == undisturbed, f"killed {moment} write {write}"
            return proxy.has_cut.is_set()

    killed, wave = 0, [True]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while all(wave):
            wave = [*pool.map(is_killed_at, range(killed + 1, killed + 1 + AT_ONCE))]
            killed += sum(wave)
    assert killed > STEPS + 2, "a Job for each step, two Events and the last status at least"


def test_of_two_controllers_one_leads_and_the_other_writes_nothing(bench: Bench, undisturbed: dict[str, Any]) -> None:
    with bench.new_run() as run, running(controller(bench.direct, run)) as first:
        bench.wait_for("a leader", lambda: first.leading)
        before = len(bench.proxy.writes)
        with running(controller(bench.through, run)) as second:
            bench.proxy.wait_for("get", "leases", 1)
            run.submit()
            assert bench.finish(run) == undisturbed
            assert first.leading
            assert not second.leading
            assert bench.proxy.writes[before:] == []


def test_when_the_leader_vanishes_the_other_takes_over_and_the_experiment_goes_on(
    bench: Bench, undisturbed: dict[str, Any]
) -> None:
    bench.proxy.cut_after_write(5, stay_down=True)
    with bench.new_run() as run, running(controller(bench.through, run, BRIEF)) as first:
        bench.wait_for("a leader", lambda: first.leading)
        with running(controller(bench.direct, run)) as second:
            run.submit()
            bench.wait_for("the cut", bench.proxy.has_cut.is_set)
            assert bench.finish(run) == undisturbed
            assert second.leading
            bench.wait_for("the end of the old leader", lambda: not first.leading)


def test_a_leader_that_is_told_to_end_hands_over_at_once(bench: Bench, undisturbed: dict[str, Any]) -> None:
    with bench.new_run() as run, running(controller(bench.direct, run, LONG)) as first:
        bench.wait_for("a leader", lambda: first.leading)
        with running(controller(bench.direct, run, LONG)) as second:
            run.submit(duration="2s")
            # Its result is there while its pod still runs: the next leader lets it end.
            bench.wait_for("a result", lambda: bool(run.stand_in.seen))
            first.stop()
            assert bench.finish(run) == undisturbed
            assert second.leading


def lose_half(proxy: ApiProxy, resource: str) -> None:
    chance = Random(1)
    proxy.change_events(resource, lambda event: [event] if chance.random() < 0.5 else [])


def delay(proxy: ApiProxy, resource: str) -> None:
    proxy.delay_events(resource, 0.3)


def repeat(proxy: ApiProxy, resource: str) -> None:
    proxy.repeat_events(resource, 3)


@pytest.mark.parametrize("disturb", [lose_half, delay, repeat])
def test_events_that_are_lost_late_or_repeated_change_nothing(
    bench: Bench, undisturbed: dict[str, Any], disturb: Callable[[ApiProxy, str], None]
) -> None:
    for resource in WATCHED:
        disturb(bench.proxy, resource)
    with bench.new_run() as run, running(controller(bench.through, run, rhythm=Rhythm(relist_seconds=1.0))):
        run.submit()
        assert bench.finish(run) == undisturbed


@pytest.mark.parametrize("end", [ApiProxy.expire_watches, ApiProxy.break_watches])
def test_watches_that_end_after_each_job_change_nothing(
    bench: Bench, undisturbed: dict[str, Any], end: Callable[[ApiProxy, str], None]
) -> None:
    with bench.new_run() as run, running(controller(bench.through, run, rhythm=Rhythm(backoff=BARELY))):
        run.submit()
        for count in range(1, STEPS + 1):
            bench.wait_for(f"Job {count}", lambda count=count: len(run.jobs()) >= count)  # type: ignore[misc]
            for resource in WATCHED:
                end(bench.proxy, resource)
        assert bench.finish(run) == undisturbed


@pytest.mark.parametrize("news", ["in time", "late"])
@pytest.mark.parametrize("what", ["experiment", "namespace"])
def test_deleting_at_any_moment_leaves_nothing_behind(bench: Bench, what: str, news: str) -> None:
    """With late news, the controller goes on for a while with an experiment that is gone."""
    if news == "late":
        bench.proxy.delay_events(EXPERIMENTS.plural, 1.0)
    with ExitStack() as stack:
        runs = []
        for writes in (0, 1, 2, 4, 7, 11):
            run = stack.enter_context(bench.new_run())
            stack.enter_context(running(controller(bench.through, run)))
            run.submit(duration="500ms")
            bench.wait_for(f"{writes} writes", lambda run=run, writes=writes: bench.writes_of(run) >= writes)  # type: ignore[misc]
            (run.delete if what == "experiment" else run.delete_namespace)()
            runs.append(run)
        for run in runs:
            bench.wait_for("the end of all objects", lambda run=run: run.is_empty(what))  # type: ignore[misc]
