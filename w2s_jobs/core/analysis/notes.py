"""What a reader must know before believing a number, whatever the report is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from w2s_jobs.contracts.estimates import PgrResult

__all__ = ["FEW_QUESTIONS", "seed_notes", "undefined_notes"]

FEW_QUESTIONS = 200
"""With fewer test questions, differences of a few points cannot be told from chance."""


def seed_notes(seeds: int) -> Iterator[str]:
    """Say what intervals over so many seeds leave out."""
    if 1 < seeds < 6:
        yield (
            f"Intervals over {seeds} seeds resample the seeds as well as the questions. So few seeds show little of "
            "how trainings differ: these intervals are rather too narrow than too wide."
        )
    if seeds == 1:
        yield (
            "One seed: intervals say how far other test questions might move a number, not how far another training "
            "run might. Add seeds to the manifest to see that."
        )


def undefined_notes(pgrs: Iterable[PgrResult], resamples: int) -> Iterator[str]:
    """Say in how many resamples PGR had no value, where there are any."""
    undefined = max((pgr.undefined_resamples for pgr in pgrs), default=0)
    if undefined:
        yield (
            f"In {undefined:,} of {resamples:,} resamples the ceiling equals the weak model. PGR has no value "
            "there, so they are left out of its intervals."
        )
