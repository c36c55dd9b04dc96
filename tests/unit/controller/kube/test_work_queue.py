"""One pass per key at a time, none lost, retries that slow down."""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest

from controller.kube.backoff import Backoff
from controller.kube.work_queue import WorkQueue


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> WorkQueue[str]:
    backoff = Backoff(first=1, cap=8, jitter=0)
    return WorkQueue(backoff, retries_per_second=2, burst=6, clock=clock, chance=lambda: 0.0)


def test_a_key_that_is_added_often_waits_once(queue: WorkQueue[str]) -> None:
    for _ in range(5):
        queue.add("x")
    assert queue.depth == 1
    assert queue.get(0) == "x"
    assert queue.get(0) is None


def test_keys_come_in_the_order_in_which_they_were_added(queue: WorkQueue[str]) -> None:
    for key in "cab":
        queue.add(key)
    assert [queue.get(0) for _ in "cab"] == ["c", "a", "b"]


def test_a_key_added_during_its_pass_comes_again_after_it_and_not_before(queue: WorkQueue[str]) -> None:
    queue.add("x")
    queue.get(0)
    queue.add("x")
    assert queue.get(0) is None
    queue.done("x")
    assert queue.get(0) == "x"
    queue.done("x")
    assert queue.get(0) is None


def test_a_busy_key_does_not_pass_others_by(queue: WorkQueue[str]) -> None:
    queue.add("busy")
    queue.get(0)
    queue.add("busy")
    queue.add("other")
    queue.done("busy")
    assert queue.get(0) == "other"


def test_a_key_for_later_comes_when_it_is_time(queue: WorkQueue[str], clock: Clock) -> None:
    queue.add_after("x", 5)
    assert queue.get(0) is None
    clock.now += 5
    assert queue.depth == 1
    assert queue.get(0) == "x"


def test_the_earliest_of_several_times_holds_and_is_the_only_one(queue: WorkQueue[str], clock: Clock) -> None:
    for seconds in (5, 2, 9):
        queue.add_after("x", seconds)
    assert queue.waiting == 1
    clock.now += 2
    assert queue.get(0) == "x"
    queue.done("x")
    clock.now += 20
    assert queue.get(0) is None


def test_retries_wait_twice_as_long_each_time_up_to_a_cap_until_the_key_is_forgotten(queue: WorkQueue[str]) -> None:
    assert [queue.retry("x") for _ in range(5)] == [1, 2, 4, 8, 8]
    assert queue.failures("x") == 5
    queue.forget("x")
    assert queue.retry("x") == 1


def test_a_retry_waits_at_least_as_long_as_the_api_server_asks(queue: WorkQueue[str]) -> None:
    assert queue.retry("x", at_least=7) == 7


def test_the_retries_of_all_keys_together_are_bounded(queue: WorkQueue[str]) -> None:
    waits = [queue.retry(str(index)) for index in range(10)]
    assert waits == [1, 1, 1, 1, 1, 1, 1, 1, 1.5, 2]


def test_a_get_wakes_at_an_add_of_another_thread() -> None:
    queue: WorkQueue[str] = WorkQueue()
    got: list[str | None] = []
    worker = threading.Thread(target=lambda: got.append(queue.get(20)))
    worker.start()
    queue.add("x")
    worker.join(20)
    assert got == ["x"]


def test_a_get_wakes_when_a_time_has_come() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("x", 0.02)
    assert queue.get(20) == "x"


def test_shutting_down_wakes_every_worker_with_nothing() -> None:
    queue: WorkQueue[str] = WorkQueue()
    got: list[str | None] = []
    workers = [threading.Thread(target=lambda: got.append(queue.get())) for _ in range(4)]
    for worker in workers:
        worker.start()
    queue.shut_down()
    for worker in workers:
        worker.join(20)
    assert got == [None] * 4
    queue.add("x")
    assert queue.get(0) is None


def test_many_workers_never_share_a_key_and_miss_no_change(seed: int) -> None:
    queue: WorkQueue[int] = WorkQueue()
    keys, adds = 20, 4000
    wanted, seen = [0] * keys, [0] * keys
    holders: Counter[int] = Counter()
    clashes: list[int] = []

    def work() -> None:
        while (key := queue.get()) is not None:
            holders[key] += 1
            if holders[key] > 1:
                clashes.append(key)
            seen[key] = wanted[key]
            holders[key] -= 1
            queue.done(key)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    chance = random.Random(seed)
    for _ in range(adds):
        key = chance.randrange(keys)
        wanted[key] += 1
        queue.add(key)
    idle = threading.Event()
    for _ in range(2000):
        if queue.idle:
            break
        idle.wait(0.005)
    queue.shut_down()
    for worker in workers:
        worker.join(20)
    assert not clashes
    assert seen == wanted
