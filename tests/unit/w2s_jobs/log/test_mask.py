"""A stream without secrets: wherever it is divided, and without holding back what is none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_jobs.log.mask import Mask, hide

SECRETS = [b"correct-horse-battery", b"eightlongeight", b"correct-horse", b"hush" * 2]
"""The longest first; one goes on from another, and one ends as it begins."""
PIECES = [*SECRETS, b"correct-", b"-battery", b"eight", b"long", b"hush", b"a line\n", b" "]


@given(st.lists(st.sampled_from(PIECES)), st.lists(st.integers(0, 200)))
def test_a_secret_is_hidden_wherever_the_stream_is_divided(pieces: list[bytes], cuts: list[int]) -> None:
    text = b"".join(pieces) + b"\n"
    mask = Mask()
    borders = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    passed = b"".join(mask.add(text[start:end], SECRETS) for start, end in pairwise(borders)) + mask.end()
    assert passed == hide(text, SECRETS)
    assert not [secret for secret in SECRETS if secret in passed]


@given(st.lists(st.sampled_from(PIECES)))
def test_a_whole_line_is_passed_on_at_once(pieces: list[bytes]) -> None:
    mask = Mask()
    assert mask.add(b"".join(pieces) + b"\n", SECRETS).endswith(b"\n")
    assert not mask.waits


def test_an_end_that_may_begin_a_secret_waits_for_more_or_for_a_pause() -> None:
    mask = Mask()
    assert mask.add(b"step 5 hush", SECRETS) == b"step 5 "
    assert mask.waits
    assert mask.pause() == b"hush"
    assert mask.add(b", hus", SECRETS) + mask.add(b"ky", SECRETS) == b", husky"


@pytest.mark.parametrize("said", [b"correct-", b"correct-horse", b"correct-horse-batter"])
def test_a_beginning_that_tells_much_of_a_secret_is_let_out_by_no_pause_and_no_end(said: bytes) -> None:
    mask = Mask()
    assert mask.add(b"key=" + said, SECRETS) == b"key="
    assert not mask.waits
    assert mask.pause() == b""
    assert mask.end() == b"***"
