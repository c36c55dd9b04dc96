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


def test_the_store_is_asked_for_everything_until_it_has_answered() -> None:
    clock = Clock()
    memory = Memory(clock)
    assert memory.must_refresh(1)
    assert memory.must_refresh(1), "asked, but no answer came"
    memory.note_refresh(1)
    assert not memory.must_refresh(1)
    assert memory.must_refresh(2)
    clock.now = 600
    assert memory.must_refresh(1)


def test_a_store_that_stays_away_is_asked_less_and_less_often() -> None:
    memory = Memory(Clock(), chance=lambda: 0.0)
    waits = [memory.note_unreachable() for _ in range(7)]
    assert waits == [2, 4, 8, 16, 32, 60, 60]
    memory.note_reached()
    assert memory.note_unreachable() == 2


def test_a_result_is_asked_for_five_times_a_second_apart_and_then_counts_as_missing() -> None:
    clock = Clock()
    memory = Memory(clock)
    for second in range(5):
        clock.now = second
        assert memory.to_ask({"a"}) == ["a"]
        memory.note_answers(["a"], set())
        assert memory.to_ask({"a"}) == []
    clock.now = 60
    assert memory.to_ask({"a"}) == []
    assert memory.missing == {"a"}


def test_a_job_that_was_deleted_gets_its_questions_anew() -> None:
    clock = Clock()
    memory = Memory(clock)
    for clock.now in range(5):
        memory.to_ask({"a"})
        memory.note_answers(["a"], set())
    assert memory.to_ask(set()) == []
    assert not memory.missing
    assert memory.next_question is None
    assert memory.to_ask({"a"}) == ["a"]


def test_what_was_said_of_a_job_that_nobody_wants_is_forgotten() -> None:
    memory = Memory(Clock(), refused={"a": "quota", "b": "quota"})
    memory.keep_refused({"b", "c"})
    assert memory.refused == {"b": "quota"}


def test_a_quota_counts_as_tight_for_ten_minutes_after_its_last_refusal() -> None:
    clock = Clock()
    memory = Memory(clock)
    assert not memory.tight
    memory.note_quota(frozenset({"pods"}))
    clock.now = 599
    assert memory.tight == {"pods"}
    clock.now = 600
    assert not memory.tight
