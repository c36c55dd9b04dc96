"""Steps of every shape, and what their Jobs are built with: the golden files and the real API server see the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from controller.api.parse import parse_manifest
from controller.plan.compile import compile_plan
from controller.plan.graph import Resources, Step
from controller.plan.jobs import JobContext, Operations, Owner
from controller.settings import Credentials, Installation, NodePool, Store, WorkerAccount, WorkerDefaults
from w2s_jobs.contracts.settings import Parallelism
from w2s_jobs.contracts.steps import StoreSettings

__all__ = ["CASES", "OWNER", "STORE", "a_context", "a_step", "an_installation"]

MANIFEST = Path(__file__).parents[1] / "golden" / "plans" / "two-rounds.yaml"
_PLAN = compile_plan(parse_manifest(MANIFEST.read_text(), "two-rounds"))

OWNER = Owner("two-rounds", "11111111-2222-3333-4444-555555555555", "team-a")
STORE = Store(
    name="main",
    settings=StoreSettings(uri="s3://artifacts/w2s", endpoint="https://s3.example.com", region="eu-1"),
    credentials=Credentials(secret_name="store-key"),
)
OVERLAY: dict[str, Any] = {
    "metadata": {"labels": {"team": "alignment"}, "annotations": {"example.com/cost-center": "42"}},
    "spec": {
        "nodeSelector": {"zone": "a"},
        "runtimeClassName": "nvidia",
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "volumes": [{"name": "ca", "configMap": {"name": "corporate-ca"}}],
        "containers": [
            {
                "name": "worker",
                "env": [{"name": "SSL_CERT_FILE", "value": "/etc/ca/ca.crt"}],
                "envFrom": [{"secretRef": {"name": "hub-token"}}],
                "resources": {"limits": {"memory": "900Gi", "rdma/hca": "1"}},
                "volumeMounts": [{"name": "ca", "mountPath": "/etc/ca", "readOnly": True}],
            }
        ],
    },
}


def a_step(kind: str, **changes: Any) -> Step:
    """The first step of a kind in a plan of method confidence, with changes and with a key of its own."""
    changes.setdefault("key", hashlib.sha256(repr((kind, changes)).encode()).hexdigest())
    return replace(next(step for step in _PLAN.steps if step.kind == kind), **changes)


def an_installation(**workers: Any) -> Installation:
    """An installation with one store and one pool of H100s in racks."""
    return Installation(
        stores=(STORE,),
        pools=(NodePool(name="h100", gpu="H100-80GB", topology_key="example.com/rack", memory_per_gpu="100Gi"),),
        workers=WorkerDefaults(image="registry.example.com/w2s-worker:1", **workers),
    )


def a_context(operations: Operations | None = None, owner: Owner = OWNER, **workers: Any) -> JobContext:
    """What the Jobs of an experiment have in common."""
    return JobContext(owner, an_installation(**workers), STORE, operations or Operations())


def _gpus(count: int, nodes: int = 1) -> Resources:
    return Resources(threads=4, gpus=count, pool="h100", nodes=nodes)


def _with_service_account() -> JobContext:
    store = STORE.model_copy(update={"credentials": Credentials(service_account_name="w2s-workers")})
    return replace(a_context(), store=store)


CASES: Mapping[str, tuple[Step, JobContext]] = {
    "prepare": (a_step("prepare"), a_context()),
    "grade-with-threads": (a_step("grade", resources=Resources(threads=8)), _with_service_account()),
    "evaluate-under-the-workers-account": (
        a_step("evaluate"),
        a_context(service_account=WorkerAccount(name="w2s-worker", namespaces=("team-a", "team-b"))),
    ),
    "sample-in-shards": (a_step("sample", resources=_gpus(1), shards=4), a_context()),
    "train-on-ranks-without-gpus": (
        a_step("train", parallelism=Parallelism(zero_stage=2, ranks=2), resources=Resources(threads=2)),
        a_context(),
    ),
    "train-on-one-node": (
        a_step("train", parallelism=Parallelism(zero_stage=3, ranks=8), resources=_gpus(8)),
        a_context(
            Operations(queue="research", priority_class_name="batch", image="registry.example.com/w2s-worker:2"),
            model_cache={"persistentVolumeClaim": {"claimName": "models"}},
            image_pull_secrets=("registry", "mirror"),
        ),
    ),
    "train-on-four-nodes": (
        a_step("train", parallelism=Parallelism(zero_stage=3, ranks=32), resources=_gpus(8, nodes=4)),
        a_context(),
    ),
    "train-with-overlay": (
        a_step("train", name="train with overlay", parallelism=Parallelism(zero_stage=3, ranks=8), resources=_gpus(8)),
        a_context(Operations(pod_template=OVERLAY)),
    ),
}
"""name of a golden file -> step and context"""
