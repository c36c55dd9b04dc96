"""`results.csv`: one row a point and test set, then one a chosen threshold, for a spreadsheet or a data frame."""

from __future__ import annotations

from collections.abc import Iterator

from w2s_jobs.contracts.analyses import ChosenResult
from w2s_jobs.contracts.estimates import Accuracy, Bounds
from w2s_jobs.contracts.results import PointResult, Results

__all__ = ["CSV_COLUMNS", "Cell", "csv_rows", "interval_ends"]

_POINT = (
    "id",
    "role",
    "round",
    "thresholds",
    "seed",
    "test_set",
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
_CHOICE = (
    "rule",
    "chosen_threshold",
    "kept",
    "estimated_correctness",
    "correctness",
    "best_threshold",
    "best_accuracy",
    "regret",
    "regret_low",
    "regret_high",
    "regret_reason",
)
CSV_COLUMNS = (*_POINT, *_CHOICE)
"""Columns; those of the second part are empty for a point, and many of the first for a choice.

What a choice keeps is of its round alone, while a point learns from all rounds before as well: they are not one column.
"""

Cell = str | int | float | None


def csv_rows(results: Results) -> Iterator[tuple[Cell, ...]]:
    """Yield the values of CSV_COLUMNS; None is an empty cell."""
    for point in results.points:
        yield _point(point, "test")
    for point in results.extra_test.points if results.extra_test else ():
        yield _point(point, "together")
    for choice in results.choices:
        yield _choice(choice)


def _point(point: PointResult, test_set: str) -> tuple[Cell, ...]:
    difference, training = point.difference, point.training
    return (
        point.id,
        point.role,
        len(point.thresholds) if point.role == "round" else None,
        "-".join(map(str, point.thresholds)),
        point.seed,
        test_set,
        *_accuracy(point.accuracy),
        point.pgr.value,
        *interval_ends(point.pgr.interval),
        point.pgr.reason,
        None if difference is None else difference.value,
        *interval_ends(None if difference is None else difference.interval),
        None if difference is None else int(difference.better),
        None if difference is None else int(difference.worse),
        None if training is None else int(training.size),
        None if training is None else training.coverage,
        None if training is None else training.label_correctness,
        *[None] * len(_CHOICE),
    )


def _choice(choice: ChosenResult) -> tuple[Cell, ...]:
    branch = "-".join(map(str, (*choice.after, choice.rule)))
    seed = "mean" if choice.seed is None else f"seed{choice.seed}"
    given: dict[str, Cell] = {
        "id": f"choice/t{branch}/{seed}",
        "role": "choice",
        "round": len(choice.after) + 1,
        "thresholds": branch,
        "seed": choice.seed,
        "test_set": "test",
        **dict(zip(_POINT[6:11], _accuracy(choice.accuracy), strict=True)),
        "rule": choice.rule,
        "chosen_threshold": choice.threshold,
        "kept": choice.kept,
        "estimated_correctness": choice.estimated_correctness,
        "correctness": choice.correctness,
        "best_threshold": choice.best_threshold,
        "best_accuracy": choice.best_accuracy,
        "regret": None if choice.regret is None else choice.regret.value,
        "regret_reason": choice.reason,
    }
    ends = interval_ends(None if choice.regret is None else choice.regret.interval)
    given |= {"regret_low": ends[0], "regret_high": ends[1]}
    return tuple(given.get(column) for column in CSV_COLUMNS)


def _accuracy(accuracy: Accuracy | None) -> tuple[Cell, ...]:
    if accuracy is None:
        return (None,) * 5
    return (accuracy.value, *interval_ends(accuracy.interval), accuracy.n, round(accuracy.correct))


def interval_ends(bounds: Bounds | None) -> tuple[float | None, float | None]:
    """Return low and high of an interval, or two empty cells."""
    return (None, None) if bounds is None else (bounds.low, bounds.high)
