"""Step -> Job."""

from __future__ import annotations

import base64
import gzip
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.errors import InvalidExperiment
from controller.plan.graph import Resources
from controller.plan.jobs import Operations, build_job, build_service, job_name
from controller.settings import Credentials, NodePool, WorkerAccount
from tests.support.job_cases import CASES, a_context, a_step
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.settings import Parallelism
from w2s_jobs.contracts.steps import StepSpec

GOLDEN = Path(__file__).parents[4] / "golden" / "jobs"


def pod(job: dict[str, Any]) -> dict[str, Any]:
    return job["spec"]["template"]["spec"]


def spec_annotation(job: dict[str, Any]) -> str:
    return job["spec"]["template"]["metadata"]["annotations"]["w2s.dev/spec"]


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_step_becomes_exactly_these_objects(name: str) -> None:
    step, context = CASES[name]
    objects = [build_job(step, context)]
    if service := build_service(step, context):
        objects.append(service)
    rendered = yaml.safe_dump_all(objects, sort_keys=False, allow_unicode=True, width=120)
    expected = GOLDEN / f"{name}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(rendered)
    assert rendered == expected.read_text()


def test_every_golden_job_has_its_case() -> None:
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == set(CASES)


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_worker_finds_its_step_in_the_annotation(name: str) -> None:
    step, context = CASES[name]
    spec = StepSpec.model_validate_json(spec_annotation(build_job(step, context)))
    assert (spec.kind, spec.key, spec.store) == (step.kind, step.key, context.store.settings)
    assert (spec.execution.shards, spec.execution.nodes) == (step.shards, step.resources.nodes)


def test_the_experiment_wins_over_the_installation() -> None:
    context = a_context(Operations(queue="mine", priority_class_name="high"), queue="theirs", priority_class_name="low")
    job = build_job(a_step("prepare"), context)
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "mine"
    assert pod(job)["priorityClassName"] == "high"


def test_only_a_job_in_a_queue_starts_suspended() -> None:
    assert "suspend" not in build_job(a_step("prepare"), a_context())["spec"]
    assert build_job(a_step("prepare"), a_context(queue="all"))["spec"]["suspend"] is True


def test_the_workers_account_is_for_the_namespaces_that_have_it_and_gives_way_to_the_stores() -> None:
    account = WorkerAccount(name="w2s-worker", namespaces=("team-b",))
    step, elsewhere = a_step("prepare"), a_context(service_account=account)
    assert "serviceAccountName" not in pod(build_job(step, elsewhere))
    there = replace(elsewhere, owner=replace(elsewhere.owner, namespace="team-b"))
    assert pod(build_job(step, there))["serviceAccountName"] == "w2s-worker"
    assert pod(build_job(step, there))["automountServiceAccountToken"] is False
    known = Credentials(service_account_name="known-to-the-store")
    by_identity = replace(there, store=there.store.model_copy(update={"credentials": known}))
    assert pod(build_job(step, by_identity))["serviceAccountName"] == "known-to-the-store"


def requests(resources: Resources, **workers: str) -> dict[str, str]:
    step = a_step("train", parallelism=Parallelism(zero_stage=3, ranks=8), resources=resources)
    (container,) = pod(build_job(step, a_context(**workers)))["containers"]
    assert container["resources"]["limits"].items() <= container["resources"]["requests"].items()
    return dict(container["resources"]["requests"])


EIGHT = Resources(gpus=8, pool="h100")


@pytest.mark.parametrize(
    ("host_memory", "memory"),
    [
        (0, "808Gi"),  # 8 x 100Gi of the pool, and 8Gi of /dev/shm
        (700 * 2**30, "808Gi"),  # with 2Gi for each rank's program it is less than the pool's 800
        (1_591 * 10**9, "1506Gi"),  # 1,482 Gi, 16 for the programs, 8 of /dev/shm
    ],
)
def test_a_pod_asks_for_the_memory_that_its_model_takes_and_for_the_pools_share_at_least(
    host_memory: int, memory: str
) -> None:
    assert requests(replace(EIGHT, host_memory=host_memory))["memory"] == memory


@pytest.mark.parametrize(
    ("disk", "scratch"),
    [(0, "20Gi"), (930 * 10**6, "21Gi"), (144_600 * 10**6, "155Gi"), (2_169 * 10**9, "2041Gi")],
)
def test_scratch_space_has_room_for_models_and_checkpoints_beside_what_every_step_gets(disk: int, scratch: str) -> None:
    step = a_step("train", parallelism=Parallelism(zero_stage=3, ranks=8), resources=replace(EIGHT, disk=disk))
    (work,) = (volume for volume in pod(build_job(step, a_context()))["volumes"] if volume["name"] == "work")
    assert work["emptyDir"]["sizeLimit"] == requests(step.resources)["ephemeral-storage"] == scratch


def test_nodes_of_one_training_meet_at_the_first_of_them_in_one_rack() -> None:
    step, context = CASES["train-on-four-nodes"]
    job, service = build_job(step, context), build_service(step, context)
    assert service is not None
    spec = StepSpec.model_validate_json(spec_annotation(job))
    assert spec.execution.rendezvous == f"{job_name(step, context.store)}-0.{service['metadata']['name']}:29400"
    (term,) = pod(job)["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "example.com/rack"
    only_its_own = {"batch.kubernetes.io/job-name": job["metadata"]["name"]}
    assert term["labelSelector"]["matchLabels"] == service["spec"]["selector"] == only_its_own


def test_a_pool_that_the_installation_lacks_is_named_with_those_it_has() -> None:
    step = a_step("sample")
    elsewhere = replace(step, resources=replace(step.resources, gpus=1, pool="b200"))
    with pytest.raises(InvalidExperiment, match="this installation has no pool 'b200'; its pools: h100"):
        build_job(elsewhere, a_context())


def test_a_pool_of_another_gpu_than_the_experiment_was_placed_on_is_refused() -> None:
    step, context = CASES["sample-in-shards"]
    wrong = Operations(pool_gpus={"h100": "A100-40GB"})
    with pytest.raises(InvalidExperiment, match=r"'h100' has gpu A100-40GB, but H100-80GB in .* Set gpu: H100-80GB"):
        build_job(step, replace(context, operations=wrong))
    right = Operations(pool_gpus={"h100": "H100-80GB", "elsewhere": "A100-40GB"})
    assert build_job(step, replace(context, operations=right)) == build_job(step, context)


def test_an_installation_that_does_not_say_its_gpus_takes_the_experiments_word() -> None:
    step, context = CASES["sample-in-shards"]
    silent = context.installation.model_copy(update={"pools": (NodePool(name="h100"),)})
    placed = replace(context, installation=silent, operations=Operations(pool_gpus={"h100": "A100-40GB"}))
    assert build_job(step, placed)


def many_inputs(count: int) -> dict[str, tuple[Input, ...]]:
    """Inputs whose keys cannot be compressed well."""
    return {
        "models": tuple(
            Input(kind="train", key=f"{number * 0x9E3779B97F4A7C15**4:064x}"[-64:], file="model/")
            for number in range(count)
        )
    }


def test_a_long_spec_travels_compressed() -> None:
    step = a_step("report", inputs=many_inputs(2000))
    text = spec_annotation(build_job(step, a_context()))
    assert len(text) < 150_000
    assert json.loads(gzip.decompress(base64.b64decode(text)))["inputs"]["models"][5]["file"] == "model/"


def test_a_spec_that_no_job_can_hold_is_refused_with_its_size() -> None:
    with pytest.raises(InvalidExperiment, match=r"has a specification of \d+ bytes .* compare fewer points"):
        build_job(a_step("report", inputs=many_inputs(12_000)), a_context())


def test_what_the_models_may_fill_is_told_in_bytes() -> None:
    (container,) = pod(build_job(a_step("prepare"), a_context(model_cache_size="2Gi")))["containers"]
    assert {"name": "W2S_CACHE_BYTES", "value": str(2 * 1024**3)} in container["env"]
