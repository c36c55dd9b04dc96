"""Whatever happens to the controller and to its connection, an experiment comes to the same end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from controller.kube.api import KubeApi
from controller.kube.connect import open_api
from controller.kube.lease_record import Timing
from controller.operator.metrics import Metrics
from controller.operator.operator import Operator, Options
from tests.support.api_proxy import ApiProxy
from tests.support.control_plane import ControlPlane
from tests.support.operator_process import NAMESPACE, install, running
from tests.support.small_run import STEPS, SmallRun, small_run

pytestmark = pytest.mark.timeout(600)

BRIEF = Timing(lease_seconds=2, renew_deadline=1.9, retry_seconds=0.1)
"""of a controller that will be killed: its Lease runs out soon"""
STEADY = Timing(lease_seconds=15, renew_deadline=10, retry_seconds=0.1)


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


def controller(api: KubeApi, run: SmallRun, timing: Timing = STEADY) -> Operator:
    """Make a controller ready to run; each run of an experiment has a Lease of its own."""
    options = Options(namespace=NAMESPACE, lease=run.namespace, health=("127.0.0.1", 0), timing=timing, workers=2)
    return Operator(api, run.installation, Metrics(), options)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_controller_killed_at_any_write_and_started_again_comes_to_the_same_end(
    bench: Bench, undisturbed: dict[str, Any], moment: str
) -> None:
    proxy = bench.proxy
    cut = proxy.cut_before_write if moment == "before" else proxy.cut_after_write
    writes, was_cut = 0, True
    while was_cut:
        writes += 1
        with bench.new_run() as run:
            cut(writes, stay_down=True)
            with running(controller(bench.through, run, BRIEF)):
                run.submit()
                bench.wait_for("the cut, or the end", lambda: proxy.has_cut.is_set() or run.succeeded)
            was_cut = proxy.has_cut.is_set()
            proxy.heal()
            with running(controller(bench.direct, run)):
                assert bench.finish(run) == undisturbed, f"killed {moment} write {writes}"
    assert writes > 2 * STEPS, "a Job and a status for each step"
