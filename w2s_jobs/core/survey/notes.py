"""What a reader must know before believing a number of a survey."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from w2s_jobs.contracts.survey import SurveyParams
from w2s_jobs.contracts.survey_results import LabelQuality, SurveyScore, SurveySetting
from w2s_jobs.core.analysis.notes import FEW_QUESTIONS, seed_notes, undefined_notes
from w2s_jobs.core.analysis.words import percent
from w2s_jobs.core.survey.comparison import SurveyComparison, survey_name
from w2s_jobs.core.survey.judge import CapabilityJudge

__all__ = ["survey_notes"]

_FEW_EXAMPLES = 50
_COMMON = 0.15
"""A gold answer that fewer of the questions share is no strategy: a model cannot live by guessing it."""


def survey_notes(
    params: SurveyParams,
    comparison: SurveyComparison,
    settings: Sequence[SurveySetting],
    judges: Mapping[str, CapabilityJudge],
    labels: Sequence[LabelQuality],
) -> Iterator[str]:
    """Yield the notes, those on questions and seeds first."""
    yield from _question_notes(comparison)
    yield from seed_notes(len({point.seed for point in params.points}))
    yield from _unequal_notes(comparison, settings)
    yield from _gap_notes(comparison, settings)
    yield from undefined_notes((score.pgr for setting in settings for score in _scores(setting)), params.resamples)
    yield from _guess_notes(settings, judges)
    selected = [s for s in settings if s.role == "selected" and s.average.difference is not None]
    if len(selected) > 1:
        yield (
            f"{len(selected)} selections are compared with WTS, each interval taken alone: of so many comparisons one "
            "may exclude zero by luck."
        )
    if any(s.role == "in-context" for s in settings):
        yield "PGR of a ceiling or of in-context learning is measured from the weak model before it in the chain."
    if any(s.role in ("weakened", "removed") for s in settings):
        yield (
            "Averages of weakened and removed settings include the capability that was weakened or removed; what that "
            "did to the others stands in their own figures."
        )
    small = [s.name for s in settings if s.examples is not None and s.examples < _FEW_EXAMPLES]
    if small:
        yield f"Trained on fewer than {_FEW_EXAMPLES} examples: {', '.join(small)}."
    yield from _empty_notes(labels)


def _scores(setting: SurveySetting) -> Iterator[SurveyScore]:
    yield setting.average
    yield from setting.capabilities.values()


def _question_notes(comparison: SurveyComparison) -> Iterator[str]:
    few = [f"{name} ({n:,})" for name, n in comparison.questions.items() if 0 < n < FEW_QUESTIONS]
    if few:
        yield (
            f"Few test questions: {', '.join(few)}. Differences of a few points on a capability of that size cannot be "
            "told from chance."
        )
    counts = [n for n in comparison.questions.values() if n]
    if counts and max(counts) >= 2 * min(counts):
        yield (
            f"Averages weigh every capability alike, though they have from {min(counts):,} to {max(counts):,} test "
            "questions: the smallest ones widen their intervals most."
        )


def _unequal_notes(comparison: SurveyComparison, settings: Sequence[SurveySetting]) -> Iterator[str]:
    partly = [s.name for s in settings if len(s.capabilities) < len(comparison.capabilities)]
    if partly:
        yield (
            f"Not evaluated on every capability: {', '.join(partly)}. Their averages are over those that they were "
            "evaluated on; PGR and differences are over those that all compared settings share."
        )
    seeds = {seed for s in settings for seed in s.seeds}
    some = [s.name for s in settings if len(s.seeds) < len(seeds)]
    if some:
        yield (
            f"Made under some of the {len(seeds)} seeds only: {', '.join(some)}. Their PGR and differences are over "
            "the seeds that all compared settings share."
        )


def _gap_notes(comparison: SurveyComparison, settings: Sequence[SurveySetting]) -> Iterator[str]:
    """Say where ceiling minus weak may be zero: PGR divides by it."""
    pairs = dict.fromkeys((s.weak, s.model) for s in settings if s.weak is not None)
    for weak, model in pairs:
        names = (survey_name("ceiling", "", None, model), survey_name("weak", "", None, weak))
        scopes = {"on average": comparison.capabilities, **{f"on {name}": (name,) for name in comparison.capabilities}}
        gaps = {where: comparison.difference(*names, scope) for where, scope in scopes.items()}
        unsure = [where for where, gap in gaps.items() if gap is not None and not gap.better]
        if unsure:
            yield (
                f"Between {weak} and {model} the ceiling is not better than the weak model for certain "
                f"{', '.join(unsure)}: PGR divides by noise there."
            )


def _guess_notes(settings: Sequence[SurveySetting], judges: Mapping[str, CapabilityJudge]) -> Iterator[str]:
    """Say which models, taught by gold, are no better than the commonest answer given every time."""
    for capability, judge in judges.items():
        answers = Counter(answer for answer in judge.gold.values() if answer is not None)
        if not answers:
            continue
        answer, count = answers.most_common(1)[0]
        share = count / len(judge.gold)
        if share < _COMMON:
            continue
        guessing = [
            f"{setting.name} ({percent(setting.capabilities[capability].accuracy.value)})"
            for setting in settings
            if setting.role in ("weak", "ceiling") and _within(setting.capabilities.get(capability), share)
        ]
        if guessing:
            yield (
                f"On {capability}, always answering '{answer:.20}' is right {percent(share)} of the time (by the gold "
                f"of the unlabelled questions). Not better than that for certain: {', '.join(guessing)}."
            )


def _within(score: SurveyScore | None, share: float) -> bool:
    return score is not None and score.accuracy.interval is not None and score.accuracy.interval.low <= share


def _empty_notes(labels: Sequence[LabelQuality]) -> Iterator[str]:
    nothing = [
        f"{name} ({rule}, {quality.weak} to {quality.model})"
        for quality in labels
        for name, figures in quality.capabilities.items()
        for rule, kept in figures.selected.items()
        if kept.kept == 0
    ]
    if nothing:
        yield f"A selection kept none of the weak labels: {', '.join(nothing)}."
