"""Names of Jobs are DNS labels, the same for the same step and for no other."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.plan.jobs import build_job, build_service, job_name
from controller.plan.jobs.names import labels_of
from controller.settings import Store
from tests.support.job_cases import CASES, STORE, a_context, a_step
from w2s_jobs.contracts.steps import PARAMS, StoreSettings

KEYS = st.text("0123456789abcdef", min_size=64, max_size=64)
KINDS = st.sampled_from(sorted(PARAMS))
DNS_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
LABEL_VALUE = re.compile(r"^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
SAMPLE = a_step("sample")


@given(KINDS, KEYS, st.integers(0, 99_999))
def test_a_name_is_a_dns_label_and_so_is_the_host_name_of_each_of_its_pods(kind, key, index) -> None:
    name = job_name(replace(SAMPLE, kind=kind, key=key), STORE)
    for label in (name, f"{name}-{index}", f"{name}-{index}-abcde"):
        assert len(label) <= 63
        assert DNS_LABEL.match(label)


@given(st.lists(st.tuples(KINDS, KEYS), min_size=2, max_size=50, unique_by=lambda pair: (pair[0], pair[1][:16])))
def test_different_steps_have_different_names(steps) -> None:
    names = [job_name(replace(SAMPLE, kind=kind, key=key), STORE) for kind, key in steps]
    assert len(set(names)) == len(names)


def a_store(uri: str, **settings: str) -> Store:
    return Store(name="other", settings=StoreSettings(uri=uri, **settings))


def test_the_same_step_for_two_stores_is_two_jobs_of_their_own_pods() -> None:
    step, ours = CASES["train-on-four-nodes"]
    theirs = replace(ours, store=a_store("s3://elsewhere"))
    built = [(build_job(step, context), build_service(step, context)) for context in (ours, theirs)]
    names = [job["metadata"]["name"] for job, _ in built]
    assert len(set(names)) == 2
    assert [spec_of(job)["store"]["uri"] for job, _ in built] == ["s3://artifacts/w2s", "s3://elsewhere"]
    for name, (job, service) in zip(names, built, strict=True):
        assert service is not None
        assert service["metadata"]["name"] == job["spec"]["template"]["spec"]["subdomain"] == name
        assert service["spec"]["selector"] == {"batch.kubernetes.io/job-name": name}
        assert spec_of(job)["execution"]["rendezvous"].startswith(f"{name}-0.{name}:")


def spec_of(job: dict[str, Any]) -> Any:
    return json.loads(job["spec"]["template"]["metadata"]["annotations"]["w2s.dev/spec"])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (a_store("s3://a/w2s"), a_store("s3://a/w2s/"), True),
        (a_store("s3://a/w2s", region="eu-1"), a_store("s3://a/w2s"), True),
        (a_store("s3://a/w2s"), a_store("s3://a/w2s/sub"), False),
        (a_store("s3://a", endpoint="https://one.example.com"), a_store("s3://a"), False),
    ],
)
def test_stores_of_one_place_share_a_job_whatever_they_are_called(one: Store, other: Store, same: bool) -> None:
    assert (job_name(SAMPLE, one) == job_name(SAMPLE, other.model_copy(update={"name": "another"}))) is same


@given(KINDS, KEYS)
def test_labels_are_valid_and_the_annotation_has_the_whole_key(kind, key) -> None:
    step = replace(SAMPLE, kind=kind, key=key)
    assert all(LABEL_VALUE.match(value) for value in labels_of(replace(SAMPLE, kind=kind, key=key)).values())
    assert build_job(step, a_context())["metadata"]["annotations"]["w2s.dev/key"] == key


def test_the_same_arguments_give_the_same_objects() -> None:
    step = a_step("sample")
    assert build_job(step, a_context()) == build_job(step, a_context())
    assert build_service(step, a_context()) is None
