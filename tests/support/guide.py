"""Blocks of code out of README and the guides in docs/, so that tests run what people are told to write."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["DOCS", "block", "commands"]

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def block(guide: str, language: str, index: int) -> str:
    """Return the block of this language that is the `index`-th in a guide."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / guide).read_text(), re.MULTILINE | re.DOTALL)
    return str(found[index])


def commands(section: str, guide: Path = ROOT / "README.md") -> list[str]:
    """Return the commands of a section of README, or of a guide: its indented lines."""
    text = guide.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return [line.strip() for line in text.splitlines() if line.startswith("    ")]
