"""`kubectl apply` of an experiment on a real control plane: it goes through its whole plan to Succeeded."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.kube.connect import open_api
from controller.settings import Installation
from tests.support.control_plane import ControlPlane
from tests.support.operator_process import ROOT, install, run_operator
from tests.support.stand_in import StandIn
from tests.unit.controller.conftest import REWARD
from w2s_jobs.contracts.steps import PARAMS

QUICKSTART = (ROOT / "examples" / "quickstart.yaml").read_text()
KINDS = tuple(PARAMS)
SMALL = (ROOT / "tests" / "e2e" / "tiny.yaml").read_text()


pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane) -> ControlPlane:
    install(control_plane)
    return control_plane


@pytest.fixture(autouse=True)
def _leave_nothing(cluster: ControlPlane) -> Iterator[None]:
    """Let no test find what one before it left."""
    yield
    cluster.kubectl("delete", "w2s,jobs", "--all", "--wait=false")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def installation(store: Path) -> Installation:
    return Installation.model_validate(
        {"stores": [{"name": "main", "settings": {"uri": store.as_uri()}}], "defaultStore": "main"}
    )


@pytest.fixture
def stand_in(cluster: ControlPlane, store: Path, tmp_path: Path) -> Iterator[StandIn]:
    with StandIn(open_api(cluster.kubeconfig), store, tmp_path / "scratch") as running:
        yield running


def manifest(name: str, source: str, duration: str = "200ms", **spec: Any) -> dict[str, Any]:
    """Build an experiment whose pods run on simulated nodes for `duration`."""
    read: dict[str, Any] = yaml.safe_load(source)
    read["metadata"] = {"name": name, "namespace": "default"}
    # No simulated node is without a taint; people who taint theirs write the same.
    pod = {"tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}]}
    shown = {"metadata": {"annotations": {"w2s.test/duration": duration}}, "spec": pod}
    read["spec"] |= {"podTemplate": shown, **spec}
    return read


def status(cluster: ControlPlane, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cluster.kubectl("get", "w2s", name, "-o", "json").stdout)
    return found.get("status") or {}


def wait_for(cluster: ControlPlane, name: str, condition: str, seconds: int = 120) -> None:
    cluster.kubectl("wait", f"w2s/{name}", f"--for=condition={condition}", f"--timeout={seconds}s")


def condition(found: dict[str, Any], kind: str) -> dict[str, Any]:
    (one,) = [one for one in found["conditions"] if one["type"] == kind]
    return dict(one)


def without_times(found: dict[str, Any]) -> dict[str, Any]:
    conditions = [{**one, "lastTransitionTime": ""} for one in found["conditions"]]
    return {**found, "conditions": conditions, "finished": "", "started": ""}


def events(cluster: ControlPlane, name: str) -> list[str]:
    listed = json.loads(cluster.kubectl("get", "events", "-o", "json").stdout)["items"]
    ours = [one for one in listed if one["involvedObject"]["name"] == name]
    return [one["reason"] for one in sorted(ours, key=lambda one: int(one["metadata"]["resourceVersion"]))]


def jobs(cluster: ControlPlane) -> list[str]:
    return cluster.kubectl("get", "jobs", "-l", "app.kubernetes.io/managed-by=w2s", "-o", "name").stdout.split()


def owners_of_open_jobs(cluster: ControlPlane) -> list[list[str]]:
    listed = json.loads(cluster.kubectl("get", "jobs", "-o", "json").stdout)["items"]
    still_open = [one for one in listed if not one["status"].get("conditions")]
    return [[owner["name"] for owner in one["metadata"]["ownerReferences"]] for one in still_open]


def patch(cluster: ControlPlane, name: str, spec: dict[str, Any]) -> None:
    cluster.kubectl("patch", "w2s", name, "--type=merge", "-p", json.dumps({"spec": spec}))


def remove(cluster: ControlPlane, *names: str) -> None:
    """Delete experiments, and see that nothing of them stays."""
    cluster.kubectl("delete", "w2s", *names)
    wait_until_no_jobs(cluster)


def wait_until_no_jobs(cluster: ControlPlane) -> None:
    """Wait for the garbage collector, which looks for new kinds of owners only every 30 seconds."""
    for kind in ("jobs", "pods"):
        selector = ("-l", "app.kubernetes.io/managed-by=w2s")
        cluster.kubectl("wait", kind, *selector, "--for=delete", "--timeout=90s", check=False)
        assert cluster.kubectl("get", kind, *selector, "-o", "name").stdout == ""


def wait_until(is_so: Callable[[], bool], tries: int = 300) -> None:
    """Ask until it is so, a tenth of a second apart."""
    pause = threading.Event()
    for _ in range(tries):
        if is_so():
            return
        pause.wait(0.1)
    raise AssertionError("it did not come to be")


@pytest.mark.parametrize("source", [QUICKSTART, REWARD], ids=["confidence", "reward"])
def test_an_applied_experiment_succeeds_and_every_step_has_run_once(
    cluster: ControlPlane, installation: Installation, stand_in: StandIn, source: str
) -> None:
    with run_operator(cluster, installation):
        cluster.apply(manifest("whole", source))
        wait_for(cluster, "whole", "Succeeded")
        found = status(cluster, "whole")
        assert found["steps"]["done"] == found["steps"]["total"] == len(stand_in.seen)
        assert all(len(uids) == 1 for uids in stand_in.seen.values())
        assert found["results"]["headline"] == "written by a stand-in"
        remove(cluster, "whole")


def test_what_a_person_sees_of_a_finished_experiment(
    cluster: ControlPlane, installation: Installation, stand_in: StandIn
) -> None:
    with run_operator(cluster, installation):
        cluster.apply(manifest("seen", SMALL))
        wait_for(cluster, "seen", "Ready")
        row = cluster.kubectl("get", "w2s", "seen", "--no-headers").stdout.split()
        assert row[:3] == ["seen", "True", "26/26"]
        wait_until(lambda: "Succeeded" in events(cluster, "seen"))
        assert events(cluster, "seen") == ["Started", "Succeeded"]
        remove(cluster, "seen")


def test_two_experiments_that_need_the_same_steps_share_their_jobs(
    cluster: ControlPlane, installation: Installation, stand_in: StandIn
) -> None:
    with run_operator(cluster, installation):
        cluster.apply(manifest("one", SMALL), manifest("two", SMALL))
        wait_for(cluster, "one", "Succeeded")
        wait_for(cluster, "two", "Succeeded")
        assert len(stand_in.seen) == 27, "26 steps, of which only the report bears the name of its experiment"
        assert all(len(uids) == 1 for uids in stand_in.seen.values())
        remove(cluster, "one", "two")


def test_an_experiment_goes_on_when_the_one_that_created_its_job_is_deleted(
    cluster: ControlPlane, installation: Installation, stand_in: StandIn
) -> None:
    with run_operator(cluster, installation):
        cluster.apply(manifest("first", SMALL, duration="2s"))
        wait_until(lambda: bool(stand_in.seen))
        cluster.apply(manifest("second", SMALL, duration="2s"))
        wait_until(lambda: all(len(owners) == 2 for owners in owners_of_open_jobs(cluster)))
        cluster.kubectl("delete", "w2s", "first")
        wait_for(cluster, "second", "Succeeded")
        assert all(len(uids) == 1 for uids in stand_in.seen.values())
        remove(cluster, "second")


def test_suspend_frees_every_pod_and_resume_goes_on(
    cluster: ControlPlane, installation: Installation, stand_in: StandIn
) -> None:
    with run_operator(cluster, installation):
        stand_in.silent = set(KINDS)
        cluster.apply(manifest("paused", SMALL, duration="1h"))
        wait_until(lambda: status(cluster, "paused").get("steps", {}).get("running", 0) > 0)
        stand_in.silent = set()
        patch(cluster, "paused", {"suspend": True})
        wait_for(cluster, "paused", "Suspended")
        wait_until_no_jobs(cluster)
        patch(cluster, "paused", {"suspend": False, "podTemplate": manifest("x", SMALL)["spec"]["podTemplate"]})
        wait_for(cluster, "paused", "Succeeded")
        remove(cluster, "paused")


def test_a_threshold_that_is_added_runs_only_what_is_new(
    cluster: ControlPlane, installation: Installation, stand_in: StandIn
) -> None:
    with run_operator(cluster, installation):
        cluster.apply(manifest("grown", SMALL))
        wait_for(cluster, "grown", "Succeeded")
        before = dict(stand_in.seen)
        edited = manifest("grown", SMALL)
        edited["spec"]["method"]["confidence"]["rounds"][1]["thresholds"] = [40, 80]
        cluster.apply(edited)
        wait_until(lambda: status(cluster, "grown")["observedGeneration"] == 2)
        wait_for(cluster, "grown", "Succeeded")
        assert all(stand_in.seen[key] == uids for key, uids in before.items())
        assert 1 <= len(stand_in.seen) - len(before) <= 6
        remove(cluster, "grown")


def test_a_deleted_status_is_written_again(
    cluster: ControlPlane, installation: Installation, stand_in: StandIn
) -> None:
    with run_operator(cluster, installation):
        cluster.apply(manifest("wiped", SMALL))
        wait_for(cluster, "wiped", "Succeeded")
        before = status(cluster, "wiped")
        cluster.kubectl("patch", "w2s", "wiped", "--subresource=status", "--type=merge", "-p", '{"status": null}')
        wait_until(lambda: bool(status(cluster, "wiped")))
        after = status(cluster, "wiped")
        assert without_times(after) == without_times(before)
        remove(cluster, "wiped")


def test_what_only_compiling_finds_becomes_a_condition_within_a_second(
    cluster: ControlPlane, installation: Installation
) -> None:
    with run_operator(cluster, installation):
        cluster.apply(manifest("nowhere", SMALL, storage={"name": "other"}))
        wait_for(cluster, "nowhere", "Failed", seconds=5)
        (failed,) = [one for one in status(cluster, "nowhere")["conditions"] if one["type"] == "Failed"]
        assert failed["reason"] == "InvalidSpec"
        assert "spec.storage.name" in failed["message"]
        remove(cluster, "nowhere")


def test_a_step_that_can_never_work_fails_the_experiment_and_a_deleted_job_is_tried_again(
    cluster: ControlPlane, installation: Installation, stand_in: StandIn
) -> None:
    broken = manifest("broken", SMALL)
    broken["spec"]["podTemplate"]["metadata"]["annotations"]["w2s.test/exit-code"] = "42"
    stand_in.silent = set(KINDS)
    with run_operator(cluster, installation):
        cluster.apply(broken)
        wait_for(cluster, "broken", "Failed")
        found = status(cluster, "broken")
        assert found["steps"]["failed"] >= 1
        assert "kubectl delete job" in condition(found, "Failed")["message"]
        stand_in.silent = set()
        patch(cluster, "broken", {"podTemplate": {"metadata": {"annotations": {"w2s.test/exit-code": None}}}})
        cluster.kubectl("delete", "jobs", "-l", "app.kubernetes.io/managed-by=w2s")
        wait_for(cluster, "broken", "Succeeded")
        remove(cluster, "broken")


def test_an_experiment_past_its_deadline_stops_and_one_past_its_time_to_live_goes(
    cluster: ControlPlane, installation: Installation, stand_in: StandIn
) -> None:
    stand_in.silent = set(KINDS)
    with run_operator(cluster, installation):
        cluster.apply(manifest("late", SMALL, duration="1h", activeDeadlineSeconds=3, ttlSecondsAfterFinished=1))
        wait_until(lambda: jobs(cluster) != [])
        cluster.kubectl("wait", "w2s/late", "--for=delete", "--timeout=30s")
        wait_until_no_jobs(cluster)


def test_no_more_steps_run_than_the_experiment_allows(
    cluster: ControlPlane, installation: Installation, stand_in: StandIn
) -> None:
    stand_in.silent = set(KINDS)
    with run_operator(cluster, installation):
        cluster.apply(manifest("narrow", SMALL, duration="1h", maxParallelSteps=2))
        wait_until(lambda: len(status(cluster, "narrow").get("waiting", ())) > 2)
        assert len(jobs(cluster)) == 2
        assert "MaxParallelSteps" in {one["reason"] for one in status(cluster, "narrow")["waiting"]}
        remove(cluster, "narrow")
