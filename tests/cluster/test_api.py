"""The verbs against a real API server, and what becomes of them when it or the network fails."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from kubernetes.client import Configuration

from controller.kube import errors
from controller.kube.api import KubeApi
from controller.kube.connect import NoCluster, TokenFile, connected, in_cluster, open_api
from controller.kube.fence import Fence
from controller.kube.resource import JOBS, Resource
from tests.support.api_proxy import ApiProxy
from tests.support.control_plane import ControlPlane
from tests.support.definition import wait_until_served
from tests.support.small_objects import CONFIG_MAPS, config_map, make_namespace


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> KubeApi:
    return open_api(control_plane.kubeconfig)


@pytest.fixture
def namespace(api: KubeApi) -> str:
    return make_namespace(api, "api")


@pytest.fixture
def proxy(control_plane: ControlPlane) -> Iterator[ApiProxy]:
    with ApiProxy(control_plane) as proxy:
        yield proxy


@pytest.mark.parametrize("fenced", [False, True])
def test_an_object_is_created_read_changed_and_deleted(api: KubeApi, namespace: str, fenced: bool) -> None:
    if fenced:
        api = api.fenced(fence := Fence())
        fence.open_until(float("inf"))
    created = api.create(CONFIG_MAPS, config_map(namespace, "x", "1"))
    assert api.get(CONFIG_MAPS, "x", namespace) == created
    patched = api.merge_patch(CONFIG_MAPS, "x", namespace, {"data": {"value": None, "other": "2"}})
    assert patched["data"] == {"other": "2"}
    with pytest.raises(errors.Conflict):
        api.replace(CONFIG_MAPS, {**created, "data": {"value": "3"}})
    api.replace(CONFIG_MAPS, {**patched, "data": {"value": "3"}})
    applied = api.apply(CONFIG_MAPS, config_map(namespace, "x", "4"), "me", force=True)
    assert applied["data"] == {"value": "4"}
    api.delete(CONFIG_MAPS, "x", namespace, uid=created["metadata"]["uid"])
    with pytest.raises(errors.NotFound, match="get configmaps"):
        api.get(CONFIG_MAPS, "x", namespace)


def test_a_second_creation_is_told_from_other_conflicts(api: KubeApi, namespace: str) -> None:
    api.create(CONFIG_MAPS, config_map(namespace, "x"))
    with pytest.raises(errors.AlreadyExists):
        api.create(CONFIG_MAPS, config_map(namespace, "x"))


def test_a_deletion_with_another_uid_deletes_nothing(api: KubeApi, namespace: str) -> None:
    api.create(CONFIG_MAPS, config_map(namespace, "x"))
    with pytest.raises(errors.Conflict):
        api.delete(CONFIG_MAPS, "x", namespace, uid="00000000-0000-0000-0000-000000000000")
    assert api.get(CONFIG_MAPS, "x", namespace)


def test_an_apply_that_changes_nothing_writes_nothing(api: KubeApi, namespace: str) -> None:
    first = api.apply(CONFIG_MAPS, config_map(namespace, "x", "1"), "one")
    assert api.apply(CONFIG_MAPS, config_map(namespace, "x", "1"), "one") == first


def test_two_managers_each_apply_their_own_owner_and_drop_it_without_touching_the_others(
    api: KubeApi, namespace: str
) -> None:
    def owned(*owners: str) -> dict[str, Any]:
        references = [{"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": uids[owner]} for owner in owners]
        return {"metadata": {"namespace": namespace, "name": "shared", "ownerReferences": references}}

    uids = {name: api.create(CONFIG_MAPS, config_map(namespace, name))["metadata"]["uid"] for name in ("a", "b")}
    api.apply(CONFIG_MAPS, owned("a"), "a")
    both = api.apply(CONFIG_MAPS, owned("b"), "b")
    assert [owner["name"] for owner in both["metadata"]["ownerReferences"]] == ["a", "b"]
    rest = api.apply(CONFIG_MAPS, owned(), "a")
    assert [owner["name"] for owner in rest["metadata"]["ownerReferences"]] == ["b"]


def test_a_field_of_another_manager_is_a_conflict_unless_it_is_taken_by_force(api: KubeApi, namespace: str) -> None:
    api.apply(CONFIG_MAPS, config_map(namespace, "x", "1"), "one")
    with pytest.raises(errors.Conflict, match=r'conflict with "one".*value'):
        api.apply(CONFIG_MAPS, config_map(namespace, "x", "2"), "two")
    assert api.apply(CONFIG_MAPS, config_map(namespace, "x", "2"), "two", force=True)["data"] == {"value": "2"}


def test_a_refused_object_comes_with_the_fields_that_are_wrong(api: KubeApi, namespace: str) -> None:
    template = {"spec": {"restartPolicy": "Always", "containers": [{"name": "c", "image": "none"}]}}
    with pytest.raises(errors.Invalid) as refused:
        api.create(JOBS, {"metadata": {"name": "x", "namespace": namespace}, "spec": {"template": template}})
    assert any(cause.startswith("spec.template.spec.restartPolicy: ") for cause in refused.value.causes)


def test_a_missing_right_is_named(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("create", "serviceaccount", "weak", "-n", namespace)
    weak = open_api(control_plane.kubeconfig_for(namespace, "weak"))
    with pytest.raises(errors.Forbidden, match=f"list jobs {namespace}: .*cannot list resource"):
        weak.list(JOBS, namespace)


def test_a_list_of_several_pages_is_whole_and_knows_the_kind_of_its_items(api: KubeApi, namespace: str) -> None:
    names = [f"x-{number}" for number in range(505)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: api.create(CONFIG_MAPS, config_map(namespace, name)), names))
    sizes = [len(page) for page, _ in api.pages(CONFIG_MAPS, namespace, "test=small")]
    items, version = api.list(CONFIG_MAPS, namespace, "test=small")
    assert sizes == [500, 5]
    assert {item["metadata"]["name"] for item in items} == set(names)
    assert {(item["apiVersion"], item["kind"]) for item in items} == {("v1", "ConfigMap")}
    assert int(version) >= max(int(item["metadata"]["resourceVersion"]) for item in items)


def test_a_watch_tells_what_comes_after_its_version_and_ends_when_it_is_stopped(api: KubeApi, namespace: str) -> None:
    api.create(CONFIG_MAPS, config_map(namespace, "before"))
    watch = api.watch(CONFIG_MAPS, namespace, "test=small", api.list(CONFIG_MAPS, namespace)[1])
    events = iter(watch)
    api.create(CONFIG_MAPS, config_map(namespace, "x"))
    api.delete(CONFIG_MAPS, "x", namespace)
    told = [(kind, obj["metadata"]["name"]) for kind, obj in (next(events), next(events))]
    assert told == [("ADDED", "x"), ("DELETED", "x")]
    rest: list[object] = []
    reader = threading.Thread(target=lambda: rest.extend(events))
    reader.start()
    watch.stop()
    reader.join(10)
    assert not reader.is_alive()
    assert rest == []


def test_a_watch_ends_in_time_with_a_bookmark_past_what_it_did_not_select(api: KubeApi, namespace: str) -> None:
    watch = api.watch(CONFIG_MAPS, namespace, "test=other", api.list(CONFIG_MAPS, namespace)[1], timeout_seconds=3)
    unseen = int(api.create(CONFIG_MAPS, config_map(namespace, "x"))["metadata"]["resourceVersion"])
    events = list(watch)
    assert {kind for kind, _ in events} == {"BOOKMARK"}
    assert int(events[-1][1]["metadata"]["resourceVersion"]) >= unseen


def test_a_version_that_is_too_old_is_gone(api: KubeApi, control_plane: ControlPlane) -> None:
    things = Resource("test.w2s.dev", "v1", "things", "Thing")  # a new kind: the API server knows no history of it
    schema = {"openAPIV3Schema": {"type": "object"}}
    spec = {
        "group": things.group,
        "scope": "Namespaced",
        "names": {"plural": things.plural, "kind": things.kind},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
    }
    name = f"{things.plural}.{things.group}"
    kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name}}
    control_plane.apply({**kind, "spec": spec})
    wait_until_served(control_plane, things)
    with pytest.raises(errors.Gone, match=r"watch things: .*too old resource version"):
        list(api.watch(things, resource_version="1", timeout_seconds=10))


def test_behind_a_closed_fence_one_can_read_and_not_write(api: KubeApi, namespace: str, proxy: ApiProxy) -> None:
    fence = Fence()
    fenced = open_api(proxy.kubeconfig).fenced(fence)
    old = api.create(CONFIG_MAPS, config_map(namespace, "x"))
    writes = [
        lambda: fenced.create(CONFIG_MAPS, config_map(namespace, "y")),
        lambda: fenced.apply(CONFIG_MAPS, config_map(namespace, "x"), "me"),
        lambda: fenced.replace(CONFIG_MAPS, old),
        lambda: fenced.merge_patch(CONFIG_MAPS, "x", namespace, {"data": {}}),
        lambda: fenced.delete(CONFIG_MAPS, "x", namespace),
    ]
    for write in writes:
        with pytest.raises(errors.LostLeadership, match="not sent"):
            write()
    assert fenced.get(CONFIG_MAPS, "x", namespace) == old
    assert proxy.writes == []


def test_a_write_takes_no_longer_than_the_fence_is_open(namespace: str, proxy: ApiProxy) -> None:
    now = [0.0]
    fence = Fence(lambda: now[0])
    fence.open_until(0.3)
    api = open_api(proxy.kubeconfig).fenced(fence)
    proxy.hang("create", "configmaps")
    with pytest.raises(errors.Unavailable, match="Timeout"):
        api.create(CONFIG_MAPS, config_map(namespace, "x"))


def test_a_busy_api_server_says_when_to_come_back(namespace: str, proxy: ApiProxy) -> None:
    api = open_api(proxy.kubeconfig)
    proxy.fail(429, resource="configmaps", retry_after=7)
    with pytest.raises(errors.TooManyRequests) as busy:
        api.get(CONFIG_MAPS, "x", namespace)
    assert busy.value.retry_after == 7
    assert proxy.requests["get", "configmaps"] == 1, "nobody but the caller may repeat a request"


@pytest.mark.parametrize("happened", [True, False])
def test_a_write_whose_answer_is_lost_may_have_happened(
    api: KubeApi, namespace: str, proxy: ApiProxy, happened: bool
) -> None:
    through = open_api(proxy.kubeconfig)
    (proxy.cut_after_write if happened else proxy.cut_before_write)(2)
    through.create(CONFIG_MAPS, config_map(namespace, "first"))
    with pytest.raises(errors.Unavailable, match=f"apply configmaps {namespace}/second: no answer"):
        through.apply(CONFIG_MAPS, config_map(namespace, "second"), "me")
    names = {item["metadata"]["name"] for item in api.list(CONFIG_MAPS, namespace, "test=small")[0]}
    assert names == ({"first", "second"} if happened else {"first"})
    assert through.apply(CONFIG_MAPS, config_map(namespace, "second"), "me")


def test_an_api_server_that_is_not_there_is_unavailable(proxy: ApiProxy, namespace: str) -> None:
    api = open_api(proxy.kubeconfig)
    proxy.go_down()
    with pytest.raises(errors.Unavailable, match="readyz"):
        api.get(CONFIG_MAPS, "x", namespace)
    proxy.heal()
    with pytest.raises(errors.NotFound):
        api.get(CONFIG_MAPS, "x", namespace)


def test_a_kubeconfig_that_is_not_there_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(NoCluster, match="nowhere"):
        open_api(tmp_path / "nowhere")


def test_each_request_is_told_to_the_observer(control_plane: ControlPlane, namespace: str) -> None:
    told: list[tuple[str, str, int]] = []
    api = open_api(control_plane.kubeconfig, observer=lambda verb, what, code, _: told.append((verb, what, code)))
    api.create(CONFIG_MAPS, config_map(namespace, "x"))
    with pytest.raises(errors.NotFound):
        api.get(JOBS, "none", namespace)
    assert told == [("create", "configmaps", 201), ("get", "jobs", 404)]


def test_a_token_that_the_kubelet_replaces_is_read_again(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    control_plane.kubectl("create", "serviceaccount", "pod", "-n", namespace)
    control_plane.kubectl(
        "create", "rolebinding", "pod", "--clusterrole=view", f"--serviceaccount={namespace}:pod", "-n", namespace
    )
    token, now = tmp_path / "token", [0.0]
    shutil.copy(control_plane.folder / "pki" / "ca.crt", tmp_path / "ca.crt")

    def rotate() -> None:
        token.write_text(control_plane.kubectl("create", "token", "pod", "-n", namespace).stdout)

    rotate()
    address = urlsplit(control_plane.url)
    environment = {"KUBERNETES_SERVICE_HOST": str(address.hostname), "KUBERNETES_SERVICE_PORT": str(address.port)}
    configuration = Configuration()
    in_cluster(configuration, tmp_path, environment, TokenFile(token, seconds=60, clock=lambda: now[0]))
    api = connected(configuration)
    assert api.list(CONFIG_MAPS, namespace, "test=small")[0] == []
    token.write_text("expired")
    assert api.list(CONFIG_MAPS, namespace, "test=small")[0] == [], "the file is read once a minute, not each time"
    now[0] = 61
    with pytest.raises(errors.Forbidden, match="401"):
        api.list(CONFIG_MAPS, namespace)
    rotate()
    now[0] = 122
    assert api.list(CONFIG_MAPS, namespace, "test=small")[0] == []
