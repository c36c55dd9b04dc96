"""Seeds that depend on what is drawn and on nothing else: not on order, chunks, shards or time."""

from __future__ import annotations

import hashlib

__all__ = ["derive_seed"]


def derive_seed(seed: int, *parts: str | int) -> int:
    """Derive a 63-bit seed from a seed and the names of what it is for (a row id, a sample number)."""
    material = "\x1f".join([str(seed), *(str(part) for part in parts)])
    return int.from_bytes(hashlib.sha256(material.encode()).digest()[:8], "big") >> 1
