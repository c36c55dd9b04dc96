"""Leader election on a real API server: one leads, and an old leader cannot write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from controller.kube.api import KubeApi
from controller.kube.connect import open_api
from controller.kube.errors import LostLeadership
from controller.kube.lease import Election
from controller.kube.lease_record import Timing
from controller.kube.resource import LEASES
from tests.support.api_proxy import ApiProxy
from tests.support.control_plane import ControlPlane
from tests.support.small_objects import CONFIG_MAPS, config_map, make_namespace

SHORT = Timing(lease_seconds=3, renew_deadline=2, retry_seconds=0.1)
"""of a leader that is to lose it"""
STEADY = Timing(lease_seconds=15, renew_deadline=10, retry_seconds=0.1)
LONG = Timing(lease_seconds=600, renew_deadline=500, retry_seconds=0.1)
Stand = Callable[..., Election]


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> KubeApi:
    return open_api(control_plane.kubeconfig)


@pytest.fixture
def namespace(api: KubeApi) -> str:
    return make_namespace(api, "lease")


@pytest.fixture
def proxy(control_plane: ControlPlane) -> Iterator[ApiProxy]:
    with ApiProxy(control_plane) as proxy:
        yield proxy


@pytest.fixture
def stand(api: KubeApi, namespace: str) -> Iterator[Stand]:
    """Let a candidate stand until the test ends."""
    started: list[Election] = []

    def start(identity: str, timing: Timing = STEADY, through: KubeApi | None = None, **options: Any) -> Election:
        election = Election(through or api, namespace, "w2s", identity, timing=timing, **options)
        election.start()
        started.append(election)
        return election

    yield start
    for election in started:
        election.stop()


def lease(api: KubeApi, namespace: str) -> dict[str, Any]:
    spec: dict[str, Any] = api.get(LEASES, "w2s", namespace)["spec"]
    return spec


def renewals(api: KubeApi, namespace: str, count: int) -> None:
    """Wait until the Lease was written `count` times from now."""
    version = api.list(LEASES, namespace)[1]
    events = iter(api.watch(LEASES, namespace, resource_version=version, timeout_seconds=60))
    for _ in range(count):
        next(events)


def test_of_many_candidates_one_leads(api: KubeApi, namespace: str, stand: Stand) -> None:
    candidates = [stand(f"c-{number}", LONG) for number in range(6)]
    renewals(api, namespace, 5)
    leaders = [candidate.identity for candidate in candidates if candidate.leading.is_set()]
    assert leaders == [lease(api, namespace)["holderIdentity"]]
    assert lease(api, namespace)["leaseTransitions"] == 0


def test_a_leader_that_stops_hands_over_at_once(api: KubeApi, namespace: str, stand: Stand) -> None:
    first = stand("first", LONG)
    assert first.leading.wait(60)
    second = stand("second", LONG)
    renewals(api, namespace, 3)
    assert not second.leading.is_set()
    first.stop()
    assert lease(api, namespace)["holderIdentity"] in ("", "second")
    assert second.leading.wait(60), "long before the 600 s of the Lease are over"
    assert lease(api, namespace)["leaseTransitions"] == 1


def test_when_the_leader_is_cut_off_it_stops_to_write_before_another_leads(
    api: KubeApi, namespace: str, stand: Stand, proxy: ApiProxy
) -> None:
    lost = threading.Event()
    first = stand("first", SHORT, open_api(proxy.kubeconfig), on_lost=lost.set)
    assert first.leading.wait(60)
    second = stand("second")
    old_writer = api.fenced(first.fence)  # its own way to the API server still works
    old_writer.create(CONFIG_MAPS, config_map(namespace, "in-time"))
    proxy.go_down()
    assert second.leading.wait(60)
    assert lost.is_set()
    assert not first.leading.is_set()
    with pytest.raises(LostLeadership):
        old_writer.create(CONFIG_MAPS, config_map(namespace, "too-late"))
    api.fenced(second.fence).create(CONFIG_MAPS, config_map(namespace, "by-the-new-leader"))
    assert lease(api, namespace)["leaseTransitions"] == 1


def test_a_leader_that_hangs_in_a_request_has_its_fence_closed_all_the_same(
    api: KubeApi, namespace: str, stand: Stand, proxy: ApiProxy
) -> None:
    first = stand("first", SHORT, open_api(proxy.kubeconfig))
    assert first.leading.wait(60)
    second = stand("second")
    proxy.hang("get", "leases")
    assert second.leading.wait(60)
    assert first.fence.seconds_left() == 0


def test_a_leader_outlives_failures_that_are_shorter_than_its_deadline(
    api: KubeApi, namespace: str, stand: Stand, proxy: ApiProxy
) -> None:
    lost = threading.Event()
    leader = stand("leader", through=open_api(proxy.kubeconfig), on_lost=lost.set)
    assert leader.leading.wait(60)
    proxy.fail(500, resource="leases", times=3)
    renewals(api, namespace, 3)
    assert leader.leading.is_set()
    assert not lost.is_set()


def test_an_edit_of_the_lease_by_somebody_else_changes_nothing(api: KubeApi, namespace: str, stand: Stand) -> None:
    leader = stand("leader")
    assert leader.leading.wait(60)
    for number in range(5):
        api.merge_patch(LEASES, "w2s", namespace, {"metadata": {"annotations": {"note": str(number)}}})
    renewals(api, namespace, 3)
    assert leader.leading.is_set()


def test_a_leader_whose_lease_was_taken_from_it_stops_to_write(api: KubeApi, namespace: str, stand: Stand) -> None:
    lost = threading.Event()
    leader = stand("leader", LONG, on_lost=lost.set)
    assert leader.leading.wait(60)
    api.merge_patch(LEASES, "w2s", namespace, {"spec": {"holderIdentity": "usurper"}})
    assert lost.wait(60)
    with pytest.raises(LostLeadership):
        api.fenced(leader.fence).create(CONFIG_MAPS, config_map(namespace, "x"))


def test_a_lease_that_was_deleted_is_made_again(api: KubeApi, namespace: str, stand: Stand) -> None:
    leader = stand("leader")
    assert leader.leading.wait(60)
    api.delete(LEASES, "w2s", namespace)
    renewals(api, namespace, 2)
    assert leader.leading.is_set()
    assert lease(api, namespace)["holderIdentity"] == "leader"
