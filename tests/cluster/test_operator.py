"""`kubectl apply` of an experiment on a real control plane: it goes through its whole plan to Succeeded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.control_plane import ControlPlane
from tests.support.operator_process import ROOT
from tests.support.workplace import Workplace, manifest, open_workplace
from tests.unit.controller.conftest import REWARD

QUICKSTART = (ROOT / "examples" / "quickstart.yaml").read_text()
SMALL = (ROOT / "tests" / "e2e" / "tiny.yaml").read_text()


@pytest.fixture
def place(cluster: ControlPlane, tmp_path: Path) -> Iterator[Workplace]:
    with open_workplace(cluster, tmp_path, "operator") as place:
        yield place


def ran_once(place: Workplace) -> bool:
    return all(len(uids) == 1 for uids in place.stand_in.seen.values())


def without_times(found: dict[str, Any]) -> dict[str, Any]:
    conditions = [{**one, "lastTransitionTime": ""} for one in found["conditions"]]
    return {**found, "conditions": conditions, "finished": "", "started": "", "writes": 0}


@pytest.mark.parametrize("source", [QUICKSTART, REWARD], ids=["confidence", "reward"])
def test_an_applied_experiment_succeeds_and_every_step_has_run_once(place: Workplace, source: str) -> None:
    with place.operator():
        place.apply(manifest("whole", source))
        place.wait_for("whole", "Succeeded")
        found = place.status("whole")
        assert found["steps"]["done"] == found["steps"]["total"] == len(place.stand_in.seen)
        assert ran_once(place)
        assert found["results"]["headline"] == "written by a stand-in"
        place.remove("whole")


def test_what_a_person_sees_of_a_finished_experiment(place: Workplace) -> None:
    with place.operator():
        place.apply(manifest("seen", SMALL))
        place.wait_for("seen", "Ready")
        row = place.kubectl("get", "w2s", "seen", "--no-headers").stdout.split()
        assert row[:3] == ["seen", "True", "26/26"]
        place.wait_until("the last event", lambda: "Succeeded" in place.events("seen"))
        assert place.events("seen") == ["Started", "Succeeded"]


def test_two_experiments_that_need_the_same_steps_share_their_jobs(place: Workplace) -> None:
    with place.operator():
        place.apply(manifest("one", SMALL), manifest("two", SMALL))
        place.wait_for("one", "Succeeded")
        place.wait_for("two", "Succeeded")
        assert len(place.stand_in.seen) == 27, "26 steps, of which only the report bears the name of its experiment"
        assert ran_once(place)
        place.remove("one", "two")


def test_an_experiment_goes_on_when_the_one_that_created_its_job_is_deleted(place: Workplace) -> None:
    place.stand_in.silent = True
    with place.operator():
        place.apply(manifest("first", SMALL, duration="1h"))
        place.wait_until("a pod that runs", lambda: place.status("first").get("steps", {}).get("running", 0) > 0)
        place.apply(manifest("second", SMALL))
        place.wait_until("common owners", lambda: all(owners == {"first", "second"} for owners in place.owners()))
        place.kubectl("delete", "w2s", "first")
        place.wait_until("the last owner", lambda: all(owners == {"second"} for owners in place.owners()))
        place.stand_in.catch_up()
        place.end_pods()
        place.wait_for("second", "Succeeded")
        assert ran_once(place)


def test_suspend_frees_every_pod_and_resume_goes_on(place: Workplace) -> None:
    place.stand_in.silent = True
    with place.operator():
        place.apply(manifest("paused", SMALL, duration="1h"))
        place.wait_until("a pod that runs", lambda: place.status("paused").get("steps", {}).get("running", 0) > 0)
        place.patch("paused", {"suspend": True})
        place.wait_for("paused", "Suspended")
        place.wait_until_empty()
        place.stand_in.silent = False
        place.patch("paused", {"suspend": False, "podTemplate": manifest("x", SMALL)["spec"]["podTemplate"]})
        place.wait_for("paused", "Succeeded")


def test_a_step_that_is_resumed_starts_again_only_when_its_pods_have_ended(place: Workplace) -> None:
    place.stand_in.silent = True
    with place.operator():
        place.apply(manifest("again", SMALL, duration="1h", maxParallelSteps=1))
        place.wait_until("a pod that runs", lambda: place.status("again").get("steps", {}).get("running", 0) > 0)
        (job,), (pod,) = place.jobs(), place.pods()
        name = pod["metadata"]["name"]
        held = ["test.w2s.dev/held", *pod["metadata"].get("finalizers", ())]  # as a worker that still saves
        place.kubectl("patch", "pod", name, "--type=merge", "-p", json.dumps({"metadata": {"finalizers": held}}))
        place.patch("again", {"suspend": True})
        place.wait_until("the Job to be told to go", lambda: "deletionTimestamp" in place.jobs()[0]["metadata"])
        place.patch("again", {"suspend": False})
        place.wait_until("the resumption", lambda: place.condition("again", "Suspended")["status"] == "False")
        assert [one["metadata"]["uid"] for one in place.jobs()] == [job["metadata"]["uid"]]
        assert [one["metadata"]["name"] for one in place.pods()] == [name]
        place.kubectl("patch", "pod", name, "--type=merge", "-p", json.dumps({"metadata": {"finalizers": None}}))
        place.wait_until(
            "the next Job", lambda: job["metadata"]["uid"] not in {one["metadata"]["uid"] for one in place.jobs()}
        )


def test_a_threshold_that_is_added_runs_only_what_is_new(place: Workplace) -> None:
    with place.operator():
        place.apply(manifest("grown", SMALL))
        place.wait_for("grown", "Succeeded")
        before = dict(place.stand_in.seen)
        edited = manifest("grown", SMALL)
        edited["spec"]["method"]["confidence"]["rounds"][1]["thresholds"] = [40, 80]
        place.apply(edited)
        place.wait_until("the edit", lambda: place.status("grown")["observedGeneration"] == 2)
        place.wait_for("grown", "Succeeded")
        assert all(place.stand_in.seen[key] == uids for key, uids in before.items())
        assert 1 <= len(place.stand_in.seen) - len(before) <= 6


def test_a_deleted_status_is_written_again(place: Workplace) -> None:
    with place.operator():
        place.apply(manifest("wiped", SMALL))
        place.wait_for("wiped", "Succeeded")
        before = place.status("wiped")
        place.kubectl("patch", "w2s", "wiped", "--subresource=status", "--type=merge", "-p", '{"status": null}')
        place.wait_until("a status", lambda: bool(place.status("wiped")))
        assert without_times(place.status("wiped")) == without_times(before)


def test_what_only_compiling_finds_becomes_a_condition(place: Workplace) -> None:
    with place.operator():
        place.apply(manifest("nowhere", SMALL, storage={"name": "other"}))
        place.wait_for("nowhere", "Failed")
        failed = place.condition("nowhere", "Failed")
        assert failed["reason"] == "InvalidSpec"
        assert "spec.storage.name" in failed["message"]


def test_a_step_that_can_never_work_fails_the_experiment_and_a_deleted_job_is_tried_again(place: Workplace) -> None:
    broken = manifest("broken", SMALL)
    broken["spec"]["podTemplate"]["metadata"]["annotations"]["w2s.test/exit-code"] = "42"
    place.stand_in.silent = True
    with place.operator():
        place.apply(broken)
        place.wait_for("broken", "Failed")
        assert place.status("broken")["steps"]["failed"] >= 1
        assert "kubectl delete job" in place.condition("broken", "Failed")["message"]
        place.stand_in.silent = False
        place.patch("broken", {"podTemplate": {"metadata": {"annotations": {"w2s.test/exit-code": None}}}})
        place.kubectl("delete", "jobs", "--all")
        place.wait_for("broken", "Succeeded")


def test_an_experiment_past_its_deadline_stops_and_one_past_its_time_to_live_goes(place: Workplace) -> None:
    place.stand_in.silent = True
    with place.operator():
        place.apply(manifest("late", SMALL, duration="1h"))
        place.wait_until("Jobs", lambda: bool(place.jobs()))
        place.patch("late", {"activeDeadlineSeconds": 1})
        place.wait_for("late", "Failed")
        assert place.condition("late", "Failed")["reason"] == "DeadlineExceeded"
        place.wait_until_empty()
        place.patch("late", {"ttlSecondsAfterFinished": 1})
        place.kubectl("wait", "w2s/late", "--for=delete", "--timeout=60s")


def test_no_more_steps_run_than_the_experiment_allows(place: Workplace) -> None:
    place.stand_in.silent = True
    with place.operator():
        place.apply(manifest("narrow", SMALL, duration="1h", maxParallelSteps=2))
        place.wait_until("waiting steps", lambda: len(place.status("narrow").get("waiting", ())) > 2)
        assert len(place.jobs()) == 2
        assert "MaxParallelSteps" in {one["reason"] for one in place.status("narrow")["waiting"]}


def test_under_a_full_quota_one_job_asks_for_room_and_the_next_follows_once_it_has_its_pod(place: Workplace) -> None:
    def without_pod() -> list[str]:
        having = {pod["metadata"]["labels"]["job-name"] for pod in place.pods()}
        return [job["metadata"]["name"] for job in place.jobs() if job["metadata"]["name"] not in having]

    def waits() -> set[str]:
        return {one["reason"] for one in place.status("tight").get("waiting", ())} - {"Dependencies"}

    def stands(pods: int) -> bool:
        return (len(place.pods()), len(without_pod()), waits()) == (pods, 1, {"QuotaExceeded"})

    place.kubectl("create", "quota", "tight", "--hard=pods=1")
    place.kubectl("wait", "quota/tight", "--for=jsonpath={.status.hard.pods}=1", "--timeout=60s")
    place.stand_in.silent = True
    with place.operator():
        place.apply(manifest("tight", SMALL, duration="1h"))
        place.wait_until("one that waits behind one that runs", lambda: stands(1))
        (first,) = without_pod()
        place.kubectl("patch", "quota", "tight", "--type=merge", "-p", '{"spec": {"hard": {"pods": "2"}}}')
        place.wait_until("the next one that waits", lambda: stands(2))
        assert first not in without_pod()
        place.kubectl("delete", "quota", "tight")
        place.wait_until("no wait", lambda: not (without_pod() or waits()))
        assert len(place.pods()) > 3
