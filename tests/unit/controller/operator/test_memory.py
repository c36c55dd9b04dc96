"""What a controller remembers of an experiment between passes."""

from __future__ import annotations

from controller.operator.memory import Memory


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_job_whose_result_is_there_has_a_minute_to_end() -> None:
    clock = Clock()
    memory = Memory(clock)
    assert memory.may_end(["a"]) == {"a"}
    clock.now = 59
    assert memory.may_end(["a", "b"]) == {"a", "b"}
    clock.now = 61
    assert memory.may_end(["a", "b"]) == {"b"}
    assert memory.ending


def test_a_job_that_has_ended_is_forgotten() -> None:
    memory = Memory(Clock())
    memory.may_end(["a"])
    assert memory.may_end([]) == frozenset()
    assert not memory.ending
