"""The spec file of a pod: compressed where it is long, completed by the environment."""

from __future__ import annotations

import base64
import gzip

import pytest

from controller.plan.jobs.spec_annotation import build_spec
from tests.support.job_cases import CASES
from w2s_jobs.contracts.spec_file import complete_spec, unpack_spec
from w2s_jobs.contracts.steps import StepSpec

POD = {"W2S_POD_ATTEMPT": "the-uid"}


def a_spec(case: str) -> StepSpec:
    return build_spec(*CASES[case])


def test_a_plain_and_a_compressed_spec_read_the_same() -> None:
    text = a_spec("prepare").model_dump_json(by_alias=True).encode()
    assert unpack_spec(text) == text
    assert unpack_spec(base64.b64encode(gzip.compress(text)) + b"\n") == text


@pytest.mark.parametrize("data", [b"H4sI", b"kind: sample", base64.b64encode(b"something"), b"[]"])
def test_other_texts_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="neither JSON nor gzip in base64"):
        unpack_spec(data)


def test_a_pod_knows_its_attempt_and_its_scratch_space() -> None:
    execution = complete_spec(a_spec("prepare"), POD).execution
    assert (execution.attempt, execution.work_dir) == ("the-uid", "/work/step")


def test_the_index_of_a_pod_is_its_shard_or_its_node() -> None:
    index = {**POD, "JOB_COMPLETION_INDEX": "3"}
    shard = complete_spec(a_spec("sample-in-shards"), index).execution
    node = complete_spec(a_spec("train-on-four-nodes"), index).execution
    assert (shard.shard, shard.node) == (3, 0)
    assert (node.shard, node.node) == (0, 3)


@pytest.mark.parametrize("index", ["4", "-1", "x"])
def test_an_index_that_is_none_of_the_shards_is_refused(index: str) -> None:
    with pytest.raises(ValueError, match="expected a shard from 0 to 3"):
        complete_spec(a_spec("sample-in-shards"), {**POD, "JOB_COMPLETION_INDEX": index})


def test_a_run_on_a_laptop_inside_somebody_elses_pod_takes_nothing_from_it() -> None:
    spec = a_spec("sample-in-shards")
    assert complete_spec(spec, {"JOB_COMPLETION_INDEX": "2"}) == spec
