"""Of what a quota has too little left, and who asks for that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.plan.standing.quota import asks_for, exceeded
from tests.support.scenes import PLAN

GPU = "requests.nvidia.com/gpu"
CPU, MEMORY = "requests.cpu", "requests.memory"


@pytest.mark.parametrize(
    ("requested", "limited", "resources"),
    [
        ("pods=1", "pods=1", {"pods"}),
        (f"{CPU}=800m,{MEMORY}=2Gi", f"{CPU}=1,{MEMORY}=4Gi", {CPU, MEMORY}),
        (f"{GPU}=4", f"{GPU}=8", {GPU}),
        (f"{GPU}=8", f"{GPU}=4", set()),
        (f"{MEMORY}=8Gi", f"{MEMORY}=4Gi", set()),
        (f"{CPU}=1500m", f"{CPU}=1", set()),
    ],
)
def test_a_quota_that_would_do_is_exceeded_by_what_it_names(requested: str, limited: str, resources: set[str]) -> None:
    words = f'pods "w2s-1" is forbidden: exceeded quota: q, requested: {requested}, used: pods=1, limited: {limited}'
    assert exceeded(words) == resources


def test_a_quota_that_wants_a_limit_named_is_not_full() -> None:
    assert exceeded('pods "w2s-1" is forbidden: failed quota: q: must specify limits.memory') == frozenset()


def test_who_asks_for_no_gpu_need_not_wait_for_one() -> None:
    plain = next(step for step in PLAN.steps if not step.resources.gpus)
    with_gpu = replace(plain, resources=replace(plain.resources, gpus=1))
    assert [asks_for(step, {GPU}) for step in (plain, with_gpu)] == [False, True]
    assert asks_for(plain, {GPU, "pods"})
    assert asks_for(plain, {"count/jobs.batch"})
    assert not asks_for(with_gpu, set())
