"""`results.csv` of a survey: one row a setting for the average over capabilities, then one for each capability."""

from __future__ import annotations

from collections.abc import Iterator

from w2s_jobs.contracts.survey_results import SurveyResults, SurveyScore, SurveySetting
from w2s_jobs.core.analysis.csv_rows import Cell, interval_ends

__all__ = ["AVERAGE", "SURVEY_COLUMNS", "survey_rows"]

AVERAGE = "average"
"""Stands in the column `capability` of the average over all."""
SURVEY_COLUMNS = (
    "setting",
    "role",
    "variant",
    "weak",
    "model",
    "seeds",
    "capability",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "questions",
    "correct",
    "seed_sd",
    "seed_min",
    "seed_max",
    "pgr",
    "pgr_low",
    "pgr_high",
    "pgr_reason",
    "difference_to_wts",
    "difference_low",
    "difference_high",
    "better",
    "worse",
    "partial_credit",
    "training_examples",
    "label_correctness",
)
"""Columns. The last two are of all capabilities together, so they stand in the average's row alone."""


def survey_rows(results: SurveyResults) -> Iterator[tuple[Cell, ...]]:
    """Yield the values of SURVEY_COLUMNS; None is an empty cell."""
    for setting in results.settings:
        yield _row(setting, AVERAGE, setting.average, (setting.examples, setting.label_correctness))
        for capability, score in setting.capabilities.items():
            yield _row(setting, capability, score, (None, None))


def _row(setting: SurveySetting, capability: str, score: SurveyScore, learnt: tuple[Cell, Cell]) -> tuple[Cell, ...]:
    accuracy, spread, difference = score.accuracy, score.spread, score.difference
    return (
        setting.name,
        setting.role,
        setting.variant or None,
        setting.weak,
        setting.model,
        "-".join(map(str, setting.seeds)),
        capability,
        accuracy.value,
        *interval_ends(accuracy.interval),
        accuracy.n,
        accuracy.correct,
        *((None, None, None) if spread is None else (spread.sd, spread.min, spread.max)),
        score.pgr.value,
        *interval_ends(score.pgr.interval),
        score.pgr.reason,
        None if difference is None else difference.value,
        *interval_ends(None if difference is None else difference.interval),
        None if difference is None else int(difference.better),
        None if difference is None else int(difference.worse),
        score.partial_credit,
        *learnt,
    )
