"""What an experiment's pod template may add, and what it may not touch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.plan.jobs import Operations, OverlayRefused, build_job
from tests.support.job_cases import CASES, OVERLAY, a_context

TRAINING = CASES["train-on-one-node"][0]


def lay(overlay: dict[str, Any]) -> dict[str, Any]:
    return build_job(TRAINING, a_context(Operations(pod_template=overlay)))["spec"]["template"]


def worker(**fields: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "worker", **fields}]}}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another container": ({"spec": {"containers": [{"name": "sidecar"}]}}, "spec.containers[0].name: is 'sidecar'"),
    "a second container": ({"spec": {"containers": [{"name": "worker"}, {"name": "b"}]}}, "sidecars would outlive"),
    "an init container": ({"spec": {"initContainers": []}}, "spec.initContainers: is not yours to set"),
    "command": (worker(command=["sh"]), "containers[0].command: is not yours to set: the worker is started by w2s"),
    "args": (worker(args=[]), "containers[0].args"),
    "image": (worker(image="x"), "set spec.image of the experiment"),
    "restart policy": ({"spec": {"restartPolicy": "OnFailure"}}, "spec.restartPolicy"),
    "an API token": ({"spec": {"automountServiceAccountToken": True}}, "no access to the API server"),
    "a service account": ({"spec": {"serviceAccountName": "admin"}}, "the installation names the workers' service"),
    "a weaker pod": ({"spec": {"securityContext": {"runAsUser": 0}}}, "restricted pod security level"),
    "a weaker container": (worker(securityContext={"privileged": True}), "restricted pod security level"),
    "host network": ({"spec": {"hostNetwork": True}}, "spec.hostNetwork: is not yours to set"),
    "our variable": (worker(env=[{"name": "HOME", "value": "/"}]), "env[0].name: is 'HOME', which w2s sets"),
    "the index": (worker(env=[{"name": "JOB_COMPLETION_INDEX", "value": "0"}]), "env[0].name"),
    "a variable of ours to come": (worker(env=[{"name": "W2S_FUTURE", "value": "1"}]), "env[0].name"),
    "another code path": (worker(env=[{"name": "PYTHONPATH", "value": "/x"}]), "env[0].name"),
    "our label": ({"metadata": {"labels": {"w2s.dev/key": "x"}}}, "labels[w2s.dev/key]"),
    "the Job's label": ({"metadata": {"labels": {"job-name": "x"}}}, "labels[job-name]"),
    "our annotation": ({"metadata": {"annotations": {"w2s.dev/spec": "{}"}}}, "annotations[w2s.dev/spec]"),
    "a name": ({"metadata": {"name": "x"}}, "metadata.name: is not yours to set"),
    "the node's disk": (
        {"spec": {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}},
        "volumes[0].hostPath: opens the node",
    ),
    "a token": (
        {"spec": {"volumes": [{"name": "api", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]}},
        "volumes[0].projected: gives a token",
    ),
    "our volume": ({"spec": {"volumes": [{"name": "work", "emptyDir": {}}]}}, "volumes[0].name: is 'work'"),
    "a mount over ours": (worker(volumeMounts=[{"name": "v", "mountPath": "/etc"}]), "where w2s keeps /etc/w2s"),
    "a mount in ours": (worker(volumeMounts=[{"name": "v", "mountPath": "/work/step"}]), "where w2s keeps /work"),
    "a mount by a detour": (
        worker(volumeMounts=[{"name": "v", "mountPath": "/a/../work"}]),
        "volumeMounts[0].mountPath",
    ),
    "more GPUs": (worker(resources={"limits": {"nvidia.com/gpu": "1"}}), "limits[nvidia.com/gpu]: is decided by"),
    "claims": (worker(resources={"claims": []}), "resources.claims: is not yours to set"),
    "another pool": ({"spec": {"nodeSelector": {"w2s.dev/pool": "x"}}}, "the pool's nodes have 'h100'"),
    "a list for a mapping": ({"spec": []}, "spec: must be a mapping"),
    "a mapping for a list": ({"spec": {"tolerations": {}}}, "tolerations: must be a list"),
    "a job": ({"backoffLimit": 1}, "backoffLimit: is unknown; a pod template has metadata and spec"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_would_break_the_contract_is_refused_with_path_and_reason(case: str) -> None:
    overlay, said = REFUSED[case]
    with pytest.raises(OverlayRefused) as refused:
        lay(overlay)
    assert f"spec.podTemplate{'' if said.startswith('.') else '.'}" in str(refused.value)
    assert said in str(refused.value)


def test_all_problems_are_said_at_once() -> None:
    with pytest.raises(OverlayRefused) as refused:
        lay({"metadata": {"name": "x"}, **worker(command=[], args=[])})
    assert len(refused.value.problems) == 3


def test_what_is_added_stands_beside_what_was_there() -> None:
    template = lay(OVERLAY)
    pod, (container,) = template["spec"], template["spec"]["containers"]
    assert template["metadata"]["labels"]["team"] == "alignment"
    assert pod["nodeSelector"] == {"w2s.dev/pool": "h100", "zone": "a"}
    assert [toleration["key"] for toleration in pod["tolerations"]] == ["nvidia.com/gpu", "spot"]
    assert [volume["name"] for volume in pod["volumes"]] == ["credentials", "shared-memory", "spec", "work", "ca"]
    assert container["env"][-1]["name"] == "SSL_CERT_FILE"
    assert container["resources"]["limits"]["rdma/hca"] == "1"


def test_the_stores_credentials_win_over_other_sources_of_variables() -> None:
    (container,) = lay(OVERLAY)["spec"]["containers"]
    assert [source["secretRef"]["name"] for source in container["envFrom"]] == ["hub-token", "store-key"]


@pytest.mark.parametrize(
    ("given", "limits", "requests"),
    [
        ({"limits": {"memory": "1Gi"}}, {"memory": "1Gi"}, {"memory": "1Gi"}),
        ({"requests": {"memory": "1Gi"}}, {"memory": "1Gi"}, {"memory": "1Gi"}),
        ({"limits": {"memory": "2Gi"}, "requests": {"memory": "1Gi"}}, {"memory": "2Gi"}, {"memory": "1Gi"}),
        ({"requests": {"cpu": "3"}}, {"cpu": None}, {"cpu": "3"}),
        ({"limits": {"cpu": "3"}}, {"cpu": "3"}, {"cpu": "3"}),
    ],
)
def test_an_amount_given_on_one_side_stands_for_the_other_where_we_have_it(given, limits, requests) -> None:
    resources = lay(worker(resources=given))["spec"]["containers"][0]["resources"]
    assert {name: resources["limits"].get(name) for name in limits} == limits
    assert {name: resources["requests"].get(name) for name in requests} == requests


NAMES = st.sampled_from(
    [
        "name",
        "env",
        "command",
        "image",
        "securityContext",
        "resources",
        "limits",
        "volumeMounts",
        "mountPath",
        "labels",
        "metadata",
        "spec",
        "containers",
        "restartPolicy",
        "w2s.dev/key",
        "nodeSelector",
        "tolerations",
        "volumes",
        "x",
    ]
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["worker", "work", "HOME", "/work", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(
    st.fixed_dictionaries({}, optional={"metadata": JUNK, "spec": JUNK | st.fixed_dictionaries({"containers": JUNK})})
)
@settings(max_examples=300)
def test_whatever_is_given_the_contract_holds_or_it_is_refused_in_words(overlay: dict[str, Any]) -> None:
    plain = lay({})
    try:
        template = lay(overlay)
    except OverlayRefused:
        return
    pod, ours = template["spec"], plain["spec"]
    (container,), (own,) = pod["containers"], ours["containers"]
    for field in ("name", "image", "command", "args", "securityContext", "terminationMessagePolicy"):
        assert container[field] == own[field]
    for field in ("restartPolicy", "automountServiceAccountToken", "securityContext", "shareProcessNamespace"):
        assert pod[field] == ours[field]
    assert plain["metadata"]["labels"].items() <= template["metadata"]["labels"].items()
    assert plain["metadata"]["annotations"].items() <= template["metadata"]["annotations"].items()
    assert container["env"][: len(own["env"])] == own["env"]
    assert container["volumeMounts"][: len(own["volumeMounts"])] == own["volumeMounts"]
    assert pod["volumes"][: len(ours["volumes"])] == ours["volumes"]
