from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controller.local.machine import Machine, Room, Share, detect_machine


def test_a_step_that_wants_more_cores_than_there_are_gets_all_of_them():
    room = Room(Machine(cores=2))
    assert room.take(cores=8, gpus=0) == Share(cores=2, gpus=())
    assert room.take(cores=1, gpus=0) is None


def test_a_gpu_is_held_by_one_process_at_a_time():
    room = Room(Machine(cores=8, gpus=("0", "1")))
    first = room.take(cores=1, gpus=1)
    second = room.take(cores=1, gpus=1)
    assert first is not None
    assert second is not None
    assert (first.gpus, second.gpus) == (("0",), ("1",))
    assert room.take(cores=1, gpus=1) is None
    room.give_back(first)
    assert room.take(cores=1, gpus=1) == first


def test_a_step_that_wants_more_gpus_than_there_are_is_never_started():
    assert Room(Machine(cores=2, gpus=("0",))).take(cores=1, gpus=2) is None


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 3)), max_size=20), st.randoms())
def test_no_core_or_gpu_is_handed_out_twice_and_all_come_back(wishes, random):
    machine = Machine(cores=4, gpus=("0", "1", "2"))
    room = Room(machine)
    held: list[Share] = []
    for cores, gpus in wishes:
        share = room.take(cores, gpus)
        if share is not None:
            held.append(share)
        assert sum(s.cores for s in held) <= machine.cores
        names = [gpu for s in held for gpu in s.gpus]
        assert len(names) == len(set(names))
        if held and random.random() < 0.5:
            room.give_back(held.pop(random.randrange(len(held))))
    for share in held:
        room.give_back(share)
    assert room.take(4, 3) == Share(cores=4, gpus=machine.gpus)


def test_visible_gpus_come_from_the_environment_first(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert detect_machine().gpus == ("3", "5")
    assert detect_machine(gpus=1).gpus == ("3",)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert detect_machine().gpus == ()


def test_a_given_number_of_cores_replaces_the_detected_one():
    assert detect_machine(cores=7).cores == 7
    assert detect_machine().cores >= 1
