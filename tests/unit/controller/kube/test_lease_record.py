"""When a Lease is free for somebody who watches it, and what a holder writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.kube.errors import LostLeadership
from controller.kube.fence import Fence
from controller.kube.lease_record import LeaseRecord, Sighting, Timing

NOON = datetime(2026, 1, 2, 12, 0, 0, 250, tzinfo=UTC)
HELD = LeaseRecord("a", 15, 3, "2026-01-02T11:00:00.000000Z", "2026-01-02T11:59:59.000000Z", "41")


def test_a_lease_is_held_until_it_was_not_renewed_for_its_whole_time_on_the_watchers_clock() -> None:
    sighting = Sighting()
    assert not sighting.is_free(HELD, 1000.0)
    assert not sighting.is_free(HELD, 1014.9)
    assert sighting.is_free(HELD, 1015.0)


def test_a_renewal_starts_the_time_anew() -> None:
    sighting = Sighting()
    sighting.is_free(HELD, 1000.0)
    renewed = replace(HELD, renewed="2026-01-02T12:00:01.000000Z")
    assert not sighting.is_free(renewed, 1014.0)
    assert not sighting.is_free(renewed, 1028.9)
    assert sighting.is_free(renewed, 1029.0)


def test_an_edit_by_somebody_else_does_not_start_the_time_anew() -> None:
    sighting = Sighting()
    sighting.is_free(HELD, 1000.0)
    assert sighting.is_free(replace(HELD, resource_version="99"), 1015.0)


def test_the_holders_time_of_day_does_not_matter() -> None:
    sighting = Sighting()
    assert not sighting.is_free(replace(HELD, renewed="1999-01-01T00:00:00.000000Z"), 1000.0)


def test_a_released_lease_is_free_at_once() -> None:
    assert Sighting().is_free(HELD.released(NOON), 1000.0)


def test_taking_over_counts_as_a_transition_and_renewing_does_not() -> None:
    taken = HELD.held_by("b", 15, NOON)
    assert (taken.holder, taken.transitions, taken.acquired) == ("b", 4, "2026-01-02T12:00:00.000250Z")
    renewed = taken.held_by("b", 15, NOON)
    assert (renewed.transitions, renewed.acquired) == (4, taken.acquired)


def test_a_lease_that_is_read_back_is_the_same_and_refuses_a_change_in_between() -> None:
    obj = HELD.to_object("ns", "lease")
    assert obj["metadata"]["resourceVersion"] == "41"
    assert LeaseRecord.of(obj) == HELD


def test_a_lease_without_a_spec_counts_as_released() -> None:
    assert Sighting().is_free(LeaseRecord.of({"metadata": {"resourceVersion": "1"}}), 0.0)


@pytest.mark.parametrize("timing", [(15, 15, 2), (15, 16, 2), (15, 2, 2), (15, 10, 0)])
def test_a_leader_must_give_up_before_others_may_take_over(timing: tuple[int, float, float]) -> None:
    with pytest.raises(ValueError, match="renew_deadline < lease_seconds"):
        Timing(*timing)


@given(
    began=st.floats(0, 1e6),
    seen_after=st.floats(0, 30),
    rate=st.floats(1 / 1.49, 1.49),
    offset=st.floats(-1e6, 1e6),
    ahead=st.floats(-5, 40),
)
def test_no_two_fences_are_open_at_once_however_the_clocks_differ(
    began: float, seen_after: float, rate: float, offset: float, ahead: float
) -> None:
    """`rate` is the speed of the watcher's clock against the leader's, within 1.5."""
    timing = Timing()
    leaders = [began]
    fence = Fence(lambda: leaders[0])
    fence.open_until(began + timing.renew_deadline)
    sighting, record = Sighting(), replace(HELD, lease_seconds=timing.lease_seconds)
    sighting.is_free(record, offset + (began + seen_after) * rate)
    leaders[0] = began + seen_after + max(0.0, ahead)
    if sighting.is_free(record, offset + leaders[0] * rate):
        assert fence.seconds_left() < 0.05


def test_a_fence_lets_nothing_through_before_it_was_opened_after_its_moment_and_once_closed() -> None:
    now = [5.0]
    fence = Fence(lambda: now[0])
    with pytest.raises(LostLeadership):
        fence.check()
    fence.open_until(15.0)
    assert fence.check() == 10.0
    now[0] = 14.99
    with pytest.raises(LostLeadership, match="not sent"):
        fence.check()
    fence.open_until(30.0)
    fence.close()
    assert fence.seconds_left() == 0
