"""Blocks of code out of the guides in docs/, so that tests run what people are told to write."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["block"]

DOCS = Path(__file__).resolve().parents[2] / "docs"


def block(guide: str, language: str, index: int) -> str:
    """Return the block of this language that is the `index`-th in a guide."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / guide).read_text(), re.MULTILINE | re.DOTALL)
    return str(found[index])
