"""Sequences of known symbols."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["SymbolSequence"]


class SymbolSequence:
    """A non-empty sequence of known symbols, with blanks between; the whole text is the answer."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self._symbols = frozenset(symbols)

    def extract(self, text: str) -> str | None:
        """Return the symbols with single blanks between, or None where anything else stands among them."""
        found = text.split()
        return " ".join(found) if found and all(symbol in self._symbols for symbol in found) else None

    def canonical(self, answer: str) -> str | None:
        """Equal sequences are equal strings."""
        return self.extract(answer)

    def write(self, answer: str) -> str:
        """The sequence is the completion."""
        return answer
