"""A survey in words. Nothing is called better or worse unless the interval of its difference excludes zero."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from w2s_jobs.contracts.estimates import Difference, PgrResult
from w2s_jobs.contracts.results import Verdict
from w2s_jobs.contracts.survey_results import RewardQuality, SurveySetting
from w2s_jobs.core.analysis.words import count_word, difference_words, interval_words, percent, pgr_range, points
from w2s_jobs.core.survey.comparison import SurveyComparison, survey_name

__all__ = ["SurveyFindings", "write_verdict"]

_RULES = {
    "reward": "the reward model",
    "both": "reward model and confidence together",
    "confidence": "confidence",
    "random": "a random draw",
}


@dataclass(frozen=True)
class SurveyFindings:
    """What the verdict is read off."""

    settings: Sequence[SurveySetting]
    rewards: Sequence[RewardQuality]
    comparison: SurveyComparison
    confidence_level: float

    def find(self, role: str, variant: str, weak: str | None, model: str) -> SurveySetting | None:
        """Return the setting of this kind."""
        name = survey_name(role, variant, weak, model)
        return next((s for s in self.settings if s.name == name), None)

    def gap(self, weak: str, model: str) -> Difference | None:
        """Ceiling minus weak; None where one is missing."""
        names = survey_name("ceiling", "", None, model), survey_name("weak", "", None, weak)
        return self.comparison.difference(*names)

    @property
    def rule(self) -> str | None:
        """The rule of selection that the verdict is about: by the reward model, where that was trained on."""
        used = {s.variant for s in self.settings if s.role == "selected"}
        return next((rule for rule in _RULES if rule in used), None)

    @property
    def selected(self) -> list[SurveySetting]:
        """Models that learnt from what that rule kept, one a pair."""
        return [s for s in self.settings if s.role == "selected" and s.variant == self.rule]

    @property
    def level(self) -> str:
        """Level of the intervals, such as `95%`."""
        return f"{100 * self.confidence_level:g}%"


def write_verdict(found: SurveyFindings) -> Verdict:
    """Write the headline and the sentences under it."""
    return Verdict(headline=_headline(found), sentences=tuple(_sentences(found)))


def _headline(found: SurveyFindings) -> str:
    if found.rule is None:
        return "No model learnt from selected labels: there are baselines only"
    rule = _RULES[found.rule]
    selection = f"Selection by {rule}"
    differences = [s.average.difference for s in found.selected if s.average.difference is not None]
    if not differences:
        return f"Without training on all weak labels (WTS) nothing shows whether selection by {rule} helps"
    better, worse = sum(d.better for d in differences), sum(d.worse for d in differences)
    if len(differences) == 1:
        return _of_one_pair(selection, differences[0].value, better, worse)
    if not better and not worse:
        return f"{selection} showed no gain: it is not distinguishable from WTS for any pair of models"
    pairs = f"{count_word(len(differences))} pairs of models"
    return f"{selection} is better than WTS for {count_word(better)} of {pairs} and worse for {count_word(worse)}"


def _of_one_pair(selection: str, value: float, better: int, worse: int) -> str:
    size = f"{abs(100 * value):.1f} points"
    if better:
        return f"{selection} helped: {size} above training on all weak labels (WTS), on average"
    if worse:
        return f"{selection} hurt: {size} below training on all weak labels (WTS), on average"
    return f"{selection} showed no gain: it is not distinguishable from training on all weak labels (WTS)"


def _sentences(found: SurveyFindings) -> Iterator[str]:
    capabilities = len(found.comparison.capabilities)
    over = f"averaged over {capabilities} capabilities" if capabilities > 1 else "on the one capability"
    pairs = dict.fromkeys((s.weak, s.model) for s in found.settings if s.weak is not None)
    for number, (weak, model) in enumerate(pairs):
        gap = found.gap(weak, model)
        certain = gap is not None and gap.better
        yield _about_the_gap(found, weak, model, f" ({over})" if number == 0 else "")
        wts = found.find("wts", "", weak, model)
        if wts is not None:
            yield (
                f"{model} taught by all weak labels of {weak} (WTS) reaches {percent(wts.average.accuracy.value)}"
                f"{_recovers(wts.average.pgr, certain)}."
            )
        chosen = None if found.rule is None else found.find("selected", found.rule, weak, model)
        if chosen is not None:
            yield from _about_the_selection(found, chosen, certain)
    yield from _about_rewards(found.rewards)


def _about_the_gap(found: SurveyFindings, weak: str, model: str, over: str) -> str:
    names = [survey_name("weak", "", None, weak), survey_name("ceiling", "", None, model)]
    low, high = found.find("weak", "", None, weak), found.find("ceiling", "", None, model)
    gap = found.gap(weak, model)
    if low is None or high is None or gap is None:
        missing = [name for name, setting in zip(names, (low, high), strict=True) if setting is None]
        return f"{weak} to {model}: PGR is undefined, there is no {' and no '.join(missing) or 'seed in common'}."
    text = (
        f"{weak} to {model}: the weak models answer {percent(low.average.accuracy.value)} correctly and the strong "
        f"model taught by gold (the ceiling) {percent(high.average.accuracy.value)}{over}, a gap of "
        f"{points(gap.value)} points"
    )
    if gap.interval is not None:
        text += f" ({found.level} interval {interval_words(gap.interval)})"
    return text + ("." if gap.better else "; it is not above zero for certain, so PGR says little.")


def _recovers(pgr: PgrResult, certain: bool) -> str:
    """Say what share of the gap is recovered; nothing where there is no certain gap, which was said before."""
    if pgr.value is None or not certain:
        return ""
    interval = "" if pgr.interval is None else f" ({pgr_range(pgr.interval)})"
    return f", PGR {percent(pgr.value, 0)}{interval}"


def _about_the_selection(found: SurveyFindings, chosen: SurveySetting, certain: bool) -> Iterator[str]:
    by, average = _RULES[chosen.variant], chosen.average
    text = f"Then taught by the labels that {by} keeps, it reaches {percent(average.accuracy.value)}"
    text += _recovers(average.pgr, certain)
    if average.difference is not None:
        text += f"; against WTS {difference_words(average.difference)}"
        apart = [s.difference for s in chosen.capabilities.values() if s.difference is not None]
        if len(apart) > 1:
            better, worse = sum(d.better for d in apart), sum(d.worse for d in apart)
            text += f" (of {len(apart)} capabilities {count_word(better)} better and {count_word(worse)} worse)"
    yield text + "."
    if chosen.variant != "random":
        drawn = survey_name("selected", "random", chosen.weak, chosen.model)
        difference = found.comparison.difference(chosen.name, drawn)
        if difference is not None:
            yield f"Against as many labels drawn at random: {difference_words(difference)}."


def _about_rewards(rewards: Sequence[RewardQuality]) -> Iterator[str]:
    together = [quality for quality in rewards if quality.capability is None and quality.auc is not None]
    if together:
        listed = ", ".join(f"{q.auc:.2f} ({q.weak} to {q.model})" for q in together)
        yield f"A right weak label has a higher reward than a wrong one with a chance (AUC; 0.5 is luck) of {listed}."
