"""How trainings went, by their losses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from w2s_jobs.contracts.analyses import LossEnds

__all__ = ["loss_ends"]


def loss_ends(
    names: Mapping[str, str], losses: Mapping[str, Sequence[float]], unnamed: str = "pretraining"
) -> Iterator[LossEnds]:
    """Yield first and last loss of each training (by train key); one without a name is called `unnamed` and its key."""
    for train, curve in losses.items():
        if curve:
            tail = curve[-max(1, len(curve) // 10) :]
            yield LossEnds(
                name=names.get(train, f"{unnamed} {train[:8]}"),
                train=train,
                steps=len(curve),
                first=round(curve[0], 6),
                last=round(sum(tail) / len(tail), 6),
            )
