"""Steps counted for metrics."""

from __future__ import annotations

from pathlib import Path

from controller.api.parse import parse_manifest
from controller.plan.compile import compile_plan
from controller.plan.decide import decide
from controller.plan.standing.observe import observe, read_jobs
from controller.plan.standing.outcomes import StepOutcome
from controller.plan.standing.scene import Scene
from controller.plan.standing.tally import Finished, finished_since, tally
from tests.support.kube_objects import UID, a_job

MANIFEST = Path(__file__).parents[4] / "golden" / "plans" / "two-rounds.yaml"
PLAN = compile_plan(parse_manifest(MANIFEST.read_text(), "two-rounds"))
FIRST, SECOND = [step.key for step in PLAN.steps if step.kind == "prepare"][:2]
TOOK = StepOutcome(timings={"gpuSeconds": 10.0})


def scene(*jobs, done=()) -> Scene:
    states = read_jobs(PLAN, jobs, {})
    observed = observe(states, frozenset(done))
    return Scene(PLAN, observed, decide(PLAN, observed), jobs=states, outcomes=dict.fromkeys(done, TOOK))


def test_every_step_is_in_one_state() -> None:
    counts = tally(scene(a_job(FIRST, "Failed"), done=[SECOND]))
    assert counts.total() == len(PLAN.steps)
    assert counts["failed", "prepare"] == 1
    assert counts["done", "prepare"] == 1
    assert counts["blocked", "report"] == 1


def test_a_step_is_counted_when_it_gets_done_and_not_again() -> None:
    after = scene(a_job(FIRST, "Complete"), done=[FIRST])
    assert list(finished_since(after, frozenset(), UID)) == [Finished("prepare", 10.0)]
    assert not list(finished_since(after, {FIRST}, UID))


def test_a_result_without_a_job_of_ours_is_a_cache_hit() -> None:
    after = scene(a_job(FIRST, "Complete", owner="another"), done=[FIRST, SECOND])
    assert list(finished_since(after, frozenset(), UID)) == [Finished("prepare", None)] * 2


def test_a_shared_job_is_counted_by_one_of_its_owners() -> None:
    job = a_job(FIRST, "Complete")
    (owner,) = job["metadata"]["ownerReferences"]
    job["metadata"]["ownerReferences"] = [owner, {**owner, "uid": "1-another"}]
    after = scene(job, done=[FIRST])
    counted = [one for uid in (UID, "1-another") for one in finished_since(after, frozenset(), uid)]
    assert counted == [Finished("prepare", 10.0)]
