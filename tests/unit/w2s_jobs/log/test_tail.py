"""The last part of a log: whole lines, not too many bytes."""

from __future__ import annotations

from w2s_jobs.log.tail import Tail


def tail_of(*chunks: bytes, limit: int = 100) -> bytes:
    tail = Tail(limit)
    for chunk in chunks:
        tail.add(chunk)
    return tail.read()


def test_a_short_log_is_kept_as_it_is() -> None:
    assert tail_of(b"one\nt", b"wo") == b"one\ntwo"


def test_of_a_long_log_the_last_whole_lines_are_kept() -> None:
    lines = [b"%06d\n" % number for number in range(1000)]
    assert tail_of(*lines) == b"".join(lines[-14:])
    assert tail_of(b"".join(lines)) == b"".join(lines[-14:])


def test_of_a_line_without_end_the_end_is_kept() -> None:
    assert tail_of(b"." * 5000) == b"." * 100
    assert tail_of(b"." * 5000 + b"\n") == b"." * 99 + b"\n"
