"""`results.csv`: one row a point, for whoever goes on in a spreadsheet or a data frame."""

from __future__ import annotations

from w2s_jobs.contracts.results import Bounds, PointResult

__all__ = ["CSV_COLUMNS", "csv_row"]

CSV_COLUMNS = (
    "id",
    "role",
    "round",
    "thresholds",
    "seed",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "questions",
    "correct",
    "pgr",
    "pgr_low",
    "pgr_high",
    "pgr_reason",
    "difference_to_conventional",
    "difference_low",
    "difference_high",
    "better",
    "worse",
    "training_examples",
    "coverage",
    "label_correctness",
)


def csv_row(point: PointResult) -> tuple[str | int | float | None, ...]:
    """Return the values of CSV_COLUMNS; None is an empty cell."""
    difference, training = point.difference, point.training
    return (
        point.id,
        point.role,
        len(point.thresholds) if point.role == "round" else None,
        "-".join(map(str, point.thresholds)),
        point.seed,
        point.accuracy.value,
        *_ends(point.accuracy.interval),
        point.accuracy.n,
        int(point.accuracy.correct),
        point.pgr.value,
        *_ends(point.pgr.interval),
        point.pgr.reason,
        None if difference is None else difference.value,
        *_ends(None if difference is None else difference.interval),
        None if difference is None else int(difference.better),
        None if difference is None else int(difference.worse),
        None if training is None else int(training.size),
        None if training is None else training.coverage,
        None if training is None else training.label_correctness,
    )


def _ends(bounds: Bounds | None) -> tuple[float | None, float | None]:
    return (None, None) if bounds is None else (bounds.low, bounds.high)
