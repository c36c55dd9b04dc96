"""Informers against a real API server: whatever happens to a watch, no change is lost and none is told twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from controller.kube import errors
from controller.kube.api import KubeApi
from controller.kube.backoff import Backoff
from controller.kube.connect import open_api
from controller.kube.informer import Informer
from controller.kube.list_watch import Rhythm
from tests.support.api_proxy import ApiProxy
from tests.support.changes import Changes
from tests.support.control_plane import ControlPlane
from tests.support.small_objects import CONFIG_MAPS, config_map, make_namespace

QUICK = Backoff(first=0.02, cap=0.2)
Follow = Callable[..., tuple[Informer, Changes]]


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> KubeApi:
    """Past the proxy."""
    return open_api(control_plane.kubeconfig)


@pytest.fixture
def namespace(api: KubeApi) -> str:
    return make_namespace(api, "informer")


@pytest.fixture
def proxy(control_plane: ControlPlane) -> Iterator[ApiProxy]:
    with ApiProxy(control_plane) as proxy:
        yield proxy


@pytest.fixture
def follow(proxy: ApiProxy, namespace: str) -> Iterator[Follow]:
    """Follow the test's objects through the proxy until the test ends."""
    started: list[Informer] = []

    def start(rhythm: Rhythm | None = None, wait: bool = True, **options: Any) -> tuple[Informer, Changes]:
        options = {"namespaces": [namespace], "label_selector": "test=small", **options}
        informer, changes = Informer(open_api(proxy.kubeconfig), CONFIG_MAPS, **options), Changes()
        informer.on_change(changes)
        informer.start(rhythm or Rhythm(backoff=QUICK))
        started.append(informer)
        assert not wait or informer.synced.wait(60)
        return informer, changes

    yield start
    for informer in started:
        informer.stop()


def by_value(obj: dict[str, Any]) -> list[str]:
    return [obj["value"]]


def small(obj: dict[str, Any]) -> dict[str, Any]:
    kept = {key: obj["metadata"][key] for key in ("name", "namespace", "resourceVersion")}
    return {"metadata": kept, "value": obj["data"]["value"]}


def test_it_holds_what_is_there_and_follows_what_changes(api: KubeApi, namespace: str, follow: Follow) -> None:
    api.create(CONFIG_MAPS, config_map(namespace, "before", "1"))
    informer, changes = follow(project=small, indexers={"value": by_value})
    assert changes.kinds("before") == ["ADDED"]
    api.create(CONFIG_MAPS, config_map(namespace, "x", "1"))
    api.apply(CONFIG_MAPS, config_map(namespace, "x", "2"), "me", force=True)
    changes.wait_for_kinds("x", "ADDED", "MODIFIED")
    assert set(informer.get(namespace, "x") or ()) == {"metadata", "value"}
    assert [obj["metadata"]["name"] for obj in informer.by_index("value", "2")] == ["x"]
    assert [obj["metadata"]["name"] for obj in informer.by_index("value", "1")] == ["before"]
    api.delete(CONFIG_MAPS, "x", namespace)
    changes.wait_for_kinds("x", "ADDED", "MODIFIED", "DELETED")
    assert len(informer) == 1


def test_an_object_that_loses_the_label_is_gone(api: KubeApi, namespace: str, follow: Follow) -> None:
    _, changes = follow()
    api.create(CONFIG_MAPS, config_map(namespace, "x"))
    api.merge_patch(CONFIG_MAPS, "x", namespace, {"metadata": {"labels": {"test": None}}})
    changes.wait_for_kinds("x", "ADDED", "DELETED")


def test_after_a_lost_connection_it_goes_on_where_it_was_without_a_list(
    api: KubeApi, namespace: str, proxy: ApiProxy, follow: Follow
) -> None:
    _, changes = follow()
    seen = api.create(CONFIG_MAPS, config_map(namespace, "x"))["metadata"]["resourceVersion"]
    changes.wait_for_kinds("x", "ADDED")
    proxy.go_down()
    api.delete(CONFIG_MAPS, "x", namespace)
    api.create(CONFIG_MAPS, config_map(namespace, "y"))
    proxy.wait_for("watch", "configmaps", 3)
    proxy.heal()
    changes.wait_for_kinds("x", "ADDED", "DELETED")
    changes.wait_for_kinds("y", "ADDED")
    assert proxy.requests["list", "configmaps"] == 1
    assert {watch.resource_version for watch in proxy.watches[1:3]} == {seen}


def test_after_410_it_lists_again_and_tells_the_differences(
    api: KubeApi, namespace: str, proxy: ApiProxy, follow: Follow
) -> None:
    for name in ("goes", "changes", "stays"):
        api.create(CONFIG_MAPS, config_map(namespace, name))
    _, changes = follow()
    proxy.drop_events("configmaps")
    api.delete(CONFIG_MAPS, "goes", namespace)
    api.apply(CONFIG_MAPS, config_map(namespace, "changes", "2"), "me", force=True)
    api.create(CONFIG_MAPS, config_map(namespace, "comes"))
    proxy.expire_watches("configmaps")
    changes.wait_for_kinds("goes", "ADDED", "DELETED")
    changes.wait_for_kinds("changes", "ADDED", "MODIFIED")
    changes.wait_for_kinds("comes", "ADDED")
    changes.wait_for_kinds("stays", "ADDED")
    assert proxy.requests["list", "configmaps"] == 2


def test_what_a_watch_never_told_is_made_good_by_the_next_list(
    api: KubeApi, namespace: str, proxy: ApiProxy, follow: Follow
) -> None:
    proxy.drop_events("configmaps")
    _, changes = follow(Rhythm(relist_seconds=1, backoff=QUICK))
    api.create(CONFIG_MAPS, config_map(namespace, "x"))
    changes.wait_for_kinds("x", "ADDED")


def test_events_that_come_twice_are_told_once(api: KubeApi, namespace: str, proxy: ApiProxy, follow: Follow) -> None:
    proxy.repeat_events("configmaps", times=3)
    _, changes = follow()
    for _ in range(3):
        api.create(CONFIG_MAPS, config_map(namespace, "x"))
        api.delete(CONFIG_MAPS, "x", namespace)
    api.create(CONFIG_MAPS, config_map(namespace, "last"))
    changes.wait_for(lambda: changes.kinds("last") == ["ADDED"])
    assert changes.kinds("x") == ["ADDED", "DELETED"] * 3


def test_a_writers_own_object_is_there_before_its_event_comes(
    api: KubeApi, namespace: str, proxy: ApiProxy, follow: Follow
) -> None:
    proxy.delay_events("configmaps", 0.5)
    informer, changes = follow()
    informer.note(api.create(CONFIG_MAPS, config_map(namespace, "x", "1")))
    informer.note(api.apply(CONFIG_MAPS, config_map(namespace, "x", "2"), "me", force=True))
    noted = informer.get(namespace, "x")
    assert noted
    assert noted["data"] == {"value": "2"}
    api.create(CONFIG_MAPS, config_map(namespace, "after"))
    changes.wait_for_kinds("after", "ADDED")
    assert changes.kinds("x") == [], "the late events of what was noted are no news"
    assert informer.get(namespace, "x") is noted
    api.delete(CONFIG_MAPS, "x", namespace)
    changes.wait_for_kinds("x", "DELETED")


def test_of_many_changes_under_breaking_connections_none_is_lost_and_none_is_told_twice(
    api: KubeApi, namespace: str, proxy: ApiProxy, follow: Follow, seed: int
) -> None:
    informer, changes = follow()
    chance = random.Random(seed)

    def write(name: str) -> list[int]:
        versions = []
        for value in range(25):
            written = api.apply(CONFIG_MAPS, config_map(namespace, name, str(value)), "me")
            versions.append(int(written["metadata"]["resourceVersion"]))
            if chance.random() < 0.1:
                proxy.break_watches("configmaps")
        return versions

    names = [f"x-{number}" for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        written = dict(zip(names, pool.map(write, names), strict=True))
    count = sum(map(len, written.values()))
    changes.wait_for(lambda: len(changes.heard) >= count)
    for name, versions in written.items():
        assert [version for _, of, version in changes.heard if of == name] == versions
        assert changes.kinds(name) == ["ADDED"] + ["MODIFIED"] * 24
        assert (informer.get(namespace, name) or {})["data"] == {"value": "24"}
    assert proxy.requests["list", "configmaps"] == 1


def test_each_namespace_that_is_named_is_followed_and_no_other(api: KubeApi, namespace: str, follow: Follow) -> None:
    other, foreign = make_namespace(api, "informer"), make_namespace(api, "informer")
    informer, changes = follow(namespaces=[namespace, other])
    foreigner = api.create(CONFIG_MAPS, config_map(foreign, "foreign"))
    for place in (namespace, other):
        api.create(CONFIG_MAPS, config_map(place, place))
        changes.wait_for_kinds(place, "ADDED")
    informer.note(foreigner)
    assert len(informer) == 2


def test_without_names_every_namespace_is_followed(api: KubeApi, namespace: str, follow: Follow) -> None:
    _, changes = follow(namespaces=[])
    for place in (namespace, make_namespace(api, "informer")):
        api.create(CONFIG_MAPS, config_map(place, place))
        changes.wait_for_kinds(place, "ADDED")


def test_while_the_api_server_fails_it_says_so_and_comes_back_by_itself(
    api: KubeApi, namespace: str, proxy: ApiProxy, follow: Follow
) -> None:
    api.create(CONFIG_MAPS, config_map(namespace, "x"))
    proxy.fail(500, resource="configmaps", times=3)
    proxy.fail(429, resource="configmaps", retry_after=1)
    informer, changes = follow(wait=False)
    proxy.wait_for("list", "configmaps", 3)
    assert isinstance(informer.problem, errors.Unavailable)
    changes.wait_for_kinds("x", "ADDED")
    assert informer.synced.wait(60)
    assert informer.problem is None


def test_a_missing_right_is_its_problem(control_plane: ControlPlane, namespace: str, proxy: ApiProxy) -> None:
    control_plane.kubectl("create", "serviceaccount", "weak", "-n", namespace)
    informer = Informer(open_api(proxy.kubeconfig_for(namespace, "weak")), CONFIG_MAPS, namespaces=[namespace])
    informer.start(Rhythm(backoff=QUICK))
    proxy.wait_for("list", "configmaps", 2)
    informer.stop()
    assert isinstance(informer.problem, errors.Forbidden)
    assert not informer.synced.is_set()


def test_a_namespace_that_may_not_be_listed_keeps_nobody_waiting_and_is_followed_once_it_may_be(
    control_plane: ControlPlane, api: KubeApi, namespace: str, proxy: ApiProxy
) -> None:
    other, changes = make_namespace(api, "informer"), Changes()
    control_plane.kubectl("create", "serviceaccount", "half", "-n", namespace)
    grant = ("create", "rolebinding", "half", "--clusterrole=view", f"--serviceaccount={namespace}:half", "-n")
    control_plane.kubectl(*grant, namespace)
    places = [other, namespace]
    informer = Informer(open_api(proxy.kubeconfig_for(namespace, "half")), CONFIG_MAPS, namespaces=places)
    informer.on_change(changes)
    informer.start(Rhythm(backoff=QUICK))
    assert informer.synced.wait(60)
    assert informer.refused == [other]
    assert informer.unseen(namespace) is None
    assert isinstance(informer.unseen(other), errors.Forbidden)
    api.create(CONFIG_MAPS, config_map(other, "x"))
    control_plane.kubectl(*grant, other)
    changes.wait_for_kinds("x", "ADDED")
    assert informer.refused == []
    assert informer.unseen(other) is None
    informer.stop()


def test_a_namespace_that_is_not_there_is_an_empty_one_to_who_may_list_it(namespace: str, follow: Follow) -> None:
    informer, _ = follow(namespaces=[namespace, "nowhere"])
    assert informer.refused == []


def test_a_listener_that_fails_does_not_end_the_watch(api: KubeApi, namespace: str, follow: Follow) -> None:
    informer, changes = follow()

    def fail(old: object, new: object) -> None:
        raise RuntimeError("a test's listener")

    informer.on_change(fail)
    for name in ("x", "y"):
        api.create(CONFIG_MAPS, config_map(namespace, name))
        changes.wait_for_kinds(name, "ADDED")
