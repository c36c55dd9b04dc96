"""PURE. A stream without the secrets in it, wherever the chunks in which it comes are divided."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["SHORTEST", "Mask", "hide"]

SHORTEST = 8
"""Bytes of the shortest secret that is hidden: a shorter one would blot out words."""
_HIDDEN = b"***"


def hide(text: bytes, secrets: Sequence[bytes]) -> bytes:
    """Replace each secret; of two that begin alike the longer one must come first."""
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return text


class Mask:
    """What one stream holds back: an end that may be the beginning of a secret, and nothing else."""

    def __init__(self) -> None:
        self._held = b""

    @property
    def waits(self) -> bool:
        """True while something is held that a pause would set free."""
        return 0 < len(self._held) < SHORTEST

    def add(self, data: bytes, secrets: Sequence[bytes]) -> bytes:
        """Take what was printed and return what may be passed on."""
        text = self._held + data
        cut = _start_of_beginning(text, secrets)
        for secret in secrets:
            # A whole secret may end with its own first letters: it is not cut for them.
            found = text.find(secret, max(0, cut - len(secret) + 1), cut + len(secret) - 1)
            cut = cut if found < 0 else found + len(secret)
        self._held = text[cut:]
        return hide(text[:cut], secrets)

    def pause(self) -> bytes:
        """Nothing more came for a moment: return what is held, unless it tells too much of a secret."""
        return self.end() if self.waits else b""

    def end(self) -> bytes:
        """Nothing more will come: return what is held, hidden where it tells too much of a secret."""
        held, self._held = self._held, b""
        return held if len(held) < SHORTEST else _HIDDEN


def _start_of_beginning(text: bytes, secrets: Sequence[bytes]) -> int:
    """Return where the longest end of a text starts that a secret goes on from."""
    starts = (_start_of_one(text, secret) for secret in secrets)
    return min(starts, default=len(text))


def _start_of_one(text: bytes, secret: bytes) -> int:
    start = text.find(secret[:1], max(0, len(text) - len(secret) + 1))
    while start >= 0 and not secret.startswith(text[start:]):
        start = text.find(secret[:1], start + 1)
    return len(text) if start < 0 else start
