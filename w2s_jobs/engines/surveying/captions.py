"""Sentences under figures that depend on what came out."""

from __future__ import annotations

from collections.abc import Sequence

from w2s_jobs.contracts.survey_results import SurveySetting
from w2s_jobs.engines.surveying.survey_view import SurveyView

__all__ = ["against_wts", "intervals"]


def intervals(view: SurveyView) -> str:
    """Say what the whiskers are."""
    several = any(len(setting.seeds) > 1 for setting in view.results.settings)
    return (
        f"Whiskers: {100 * view.results.confidence_level:g}% intervals over test questions"
        f"{' and seeds' if several else ''}."
    )


def against_wts(settings: Sequence[SurveySetting], what: str) -> str:
    """Count what lies above and below WTS, averaged over capabilities."""
    differences = [s.average.difference for s in settings if s.average.difference is not None]
    if not differences:
        return "Without WTS of the same models no difference is judged."
    better, worse = sum(d.better for d in differences), sum(d.worse for d in differences)
    plural = f"averages of {what}" if len(differences) > 1 else f"average of {what}"
    return (
        f"Of {len(differences)} {plural}, {better} lie{'s' if better == 1 else ''} above WTS beyond the interval of "
        f"the difference and {worse} below it."
    )
