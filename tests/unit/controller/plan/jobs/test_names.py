"""Names of Jobs are DNS labels, the same for the same step and for no other."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from controller.plan.jobs import build_job, build_service, job_name
from controller.plan.jobs.names import labels_of
from tests.support.job_cases import a_context, a_step
from w2s_jobs.contracts.steps import PARAMS

KEYS = st.text("0123456789abcdef", min_size=64, max_size=64)
KINDS = st.sampled_from(sorted(PARAMS))
DNS_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
LABEL_VALUE = re.compile(r"^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
SAMPLE = a_step("sample")


@given(KINDS, KEYS, st.integers(0, 99_999))
def test_a_name_is_a_dns_label_and_so_is_the_host_name_of_each_of_its_pods(kind, key, index) -> None:
    name = job_name(replace(SAMPLE, kind=kind, key=key))
    for label in (name, f"{name}-{index}", f"{name}-{index}-abcde"):
        assert len(label) <= 63
        assert DNS_LABEL.match(label)


@given(st.lists(st.tuples(KINDS, KEYS), min_size=2, max_size=50, unique_by=lambda pair: (pair[0], pair[1][:16])))
def test_different_steps_have_different_names(steps) -> None:
    names = [job_name(replace(SAMPLE, kind=kind, key=key)) for kind, key in steps]
    assert len(set(names)) == len(names)


@given(KINDS, KEYS)
def test_labels_are_valid_and_the_annotation_has_the_whole_key(kind, key) -> None:
    step = replace(SAMPLE, kind=kind, key=key)
    assert all(LABEL_VALUE.match(value) for value in labels_of(replace(SAMPLE, kind=kind, key=key)).values())
    assert build_job(step, a_context())["metadata"]["annotations"]["w2s.dev/key"] == key


def test_the_same_arguments_give_the_same_objects() -> None:
    step = a_step("sample")
    assert build_job(step, a_context()) == build_job(step, a_context())
    assert build_service(step, a_context()) is None
