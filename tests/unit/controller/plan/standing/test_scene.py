"""What a full quota means for an experiment as a whole: one Job asks for room, and others only wait behind it."""

from __future__ import annotations

from controller.api.reasons import WaitReason
from controller.plan.standing.refusals import refusals_by_job
from controller.plan.standing.scene import Scene
from controller.plan.standing.status import project_status
from tests.support.kube_objects import a_job, a_pod, a_refusal
from tests.support.scenes import ABOUT, NOW, PLAN, scene

KEYS = [step.key for step in PLAN.steps if not PLAN.dependencies(step)]
OLD, YOUNG, NONE = KEYS[:3]
WORDS = 'pods "w2s-1" is forbidden: exceeded quota: tight, requested: pods=1, used: pods=1, limited: pods=1'
OLDER = a_job(OLD, metadata__creationTimestamp="2026-11-25T14:59:59Z")
YOUNGER = a_job(YOUNG)


def refused(*jobs, pods=(), words=WORDS, **known) -> Scene:
    refusals = refusals_by_job(a_refusal(job, words) for job in jobs)
    return scene(jobs, pods, refusals=refusals, **known)


def test_the_oldest_job_asks_for_room_and_the_others_are_too_many() -> None:
    seen = refused(YOUNGER, OLDER)
    assert seen.held_by_quota == (OLD, YOUNG)
    assert seen.surplus == {YOUNG}


def test_a_step_without_a_job_waits_for_the_same_quota() -> None:
    waiting = {one.name: one for one in project_status(ABOUT, refused(OLDER), None, NOW).waiting}
    one = waiting[PLAN.step(NONE).name]
    assert one.reason is WaitReason.QUOTA
    assert one.message.startswith("another step of this experiment waits for room first: exceeded quota: tight")


def test_a_job_that_is_the_memory_of_a_failure_or_of_a_pod_stays() -> None:
    failed = a_job(YOUNG, failed=1)
    assert refused(OLDER, failed).surplus == frozenset()
    ended = a_pod(YOUNGER, "Failed", 143, creationTimestamp="2026-11-25T15:00:02Z")
    seen = refused(OLDER, YOUNGER, pods=[ended])
    assert seen.held_by_quota == (OLD, YOUNG)
    assert seen.surplus == frozenset()


def test_what_other_rules_refuse_is_no_quota() -> None:
    seen = refused(OLDER, YOUNGER, words='pods "w2s-1" is forbidden: violates PodSecurity "restricted:latest"')
    assert seen.held_by_quota == ()
    assert seen.surplus == frozenset()


def test_a_job_that_has_its_pod_holds_nobody_up() -> None:
    seen = refused(OLDER, pods=[a_pod(OLDER, "Pending", creationTimestamp="2026-11-25T15:00:06Z")])
    assert seen.held_by_quota == ()
    assert seen.without_pods == frozenset()


def test_a_job_that_the_whole_quota_would_not_do_for_holds_nobody_up() -> None:
    words = WORDS.replace("requested: pods=1", "requested: pods=2")
    seen = refused(OLDER, YOUNGER, words=words)
    assert seen.held_by_quota == ()
    assert seen.surplus == seen.without_pods == frozenset()


def test_jobs_that_want_something_else_are_not_behind_each_other() -> None:
    gpus = "exceeded quota: gpus, requested: requests.nvidia.com/gpu=4, used: requests.nvidia.com/gpu=8, limited: "
    refusals = refusals_by_job([a_refusal(OLDER, f"{gpus}requests.nvidia.com/gpu=8"), a_refusal(YOUNGER, WORDS)])
    seen = scene((OLDER, YOUNGER), (), refusals=refusals)
    assert seen.held_by_quota == (OLD, YOUNG)
    assert seen.full == {"requests.nvidia.com/gpu", "pods"}
    assert seen.surplus == frozenset()


def test_a_job_that_tries_again_or_is_refused_by_a_rule_is_not_about_to_get_its_pods() -> None:
    assert refused(OLDER).without_pods == {OLD}
    assert scene((a_job(OLD, failed=1),), ()).without_pods == frozenset()
    assert refused(OLDER, words='pods "w2s-1" is forbidden: violates PodSecurity').without_pods == frozenset()
