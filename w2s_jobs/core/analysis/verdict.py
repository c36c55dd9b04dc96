"""The numbers in words. Nothing is called better or worse unless the interval of its difference excludes zero."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from w2s_jobs.contracts.estimates import PgrResult
from w2s_jobs.contracts.results import Choice, Gap, SettingResult, Verdict
from w2s_jobs.core.analysis.words import (
    count_word,
    difference_words,
    interval_words,
    percent,
    pgr_range,
    points,
    setting_label,
    thresholds_label,
)

__all__ = ["Findings", "write_verdict"]


@dataclass(frozen=True)
class Findings:
    """What the verdict is read off."""

    settings: Sequence[SettingResult]
    gap: Gap
    best: Sequence[Choice]
    test_questions: int
    confidence_level: float

    def find(self, name: str) -> SettingResult | None:
        """Return the setting of this name."""
        return next((s for s in self.settings if s.name == name), None)

    @property
    def overall(self) -> Choice | None:
        """The best of all rounds."""
        return next((c for c in self.best if c.round is None), None)

    @property
    def level(self) -> str:
        """Level of the intervals, such as `95%`."""
        return f"{100 * self.confidence_level:g}%"


def write_verdict(found: Findings) -> Verdict:
    """Write the headline and the sentences under it."""
    return Verdict(headline=_headline(found), sentences=tuple(_sentences(found)))


def _headline(found: Findings) -> str:
    overall = found.overall
    if overall is None:
        return "No round of the method was evaluated: there are baselines only"
    if overall.difference is None:
        return "Without a conventional baseline nothing shows whether the method helps"
    size = f"{abs(100 * overall.difference.value):.1f} points"
    if overall.difference.better:
        return f"The method helped: its best setting is {size} above conventional training"
    if overall.difference.worse:
        return f"The method hurt: even its best setting is {size} below conventional training"
    return "The method showed no gain: its best setting is not distinguishable from conventional training"


def _sentences(found: Findings) -> Iterator[str]:
    yield _about_the_gap(found)
    conventional = found.find("conventional")
    if conventional is not None:
        yield (
            f"Conventional training, on one unfiltered weak label a question, reaches "
            f"{percent(conventional.accuracy.value)}{_recovers(conventional.pgr, found.gap)}."
        )
    for choice in found.best:
        setting = found.find(choice.name)
        if choice.round is not None and setting is not None:
            yield _about_a_round(choice, setting, found.gap)
    overall = found.overall
    if overall is not None:
        yield from _about_the_best(overall, found)
        yield from _about_all(found)


def _about_the_gap(found: Findings) -> str:
    gap = found.gap
    if gap.weak is None or gap.ceiling is None or gap.value is None:
        return f"PGR is undefined: {gap.reason}."
    text = (
        f"On {found.test_questions:,} test questions the weak model answers {percent(gap.weak)} correctly and the "
        f"strong model trained on gold labels (the ceiling) {percent(gap.ceiling)}: "
    )
    text += f"a gap of {points(gap.value).removeprefix('+')} points"
    if gap.interval is not None:
        text += f" ({found.level} interval {interval_words(gap.interval)})"
    if gap.reason is not None:
        text += f". But {gap.reason}"
    return text + "."


def _recovers(pgr: PgrResult, gap: Gap) -> str:
    """Say what share of the gap is recovered; nothing where there is no certain gap, which was said before."""
    if pgr.value is None or not gap.certain:
        return ""
    interval = "" if pgr.interval is None else f" ({pgr_range(pgr.interval)})"
    if pgr.value < 0:
        return f", which is below the weak model: PGR {percent(pgr.value, 0)}{interval}"
    return f" and recovers {percent(pgr.value, 0)} of the gap{interval}"


def _about_a_round(choice: Choice, setting: SettingResult, gap: Gap) -> str:
    rounds = f"{count_word(choice.round or 0)}-round"
    which = f"The best {rounds} setting of {choice.among}" if choice.among > 1 else f"The {rounds} setting"
    seeds = f", the mean of {len(setting.seeds)} seeds," if len(setting.seeds) > 1 else ""
    reached = percent(setting.accuracy.value)
    return f"{which} ({thresholds_label(setting.thresholds)}){seeds} reaches {reached}{_recovers(setting.pgr, gap)}."


def _about_the_best(overall: Choice, found: Findings) -> Iterator[str]:
    setting = found.find(overall.name)
    if setting is None:
        return
    if overall.difference is not None:
        choice = f", allowing for the choice among {overall.among} settings" if overall.among > 1 else ""
        yield (
            f"The best setting, {_inline(setting)}, differs from conventional training by "
            f"{difference_words(overall.difference, choice)}."
        )
    if setting.gain is not None:
        gain = difference_words(setting.gain)
        yield f"Against the round that it went on from, its last round changes accuracy by {gain}."


def _about_all(found: Findings) -> Iterator[str]:
    """Count the settings that differ, so that a good best does not hide bad others."""
    differences = [s.difference for s in found.settings if s.role == "round" and s.difference is not None]
    if len(differences) > 1:
        better, worse = sum(d.better for d in differences), sum(d.worse for d in differences)
        yield (
            f"Taken one at a time, {count_word(better)} of the {len(differences)} settings "
            f"{'is' if better == 1 else 'are'} better than conventional training and {count_word(worse)} "
            f"{'is' if worse == 1 else 'are'} worse."
        )


def _inline(setting: SettingResult) -> str:
    label = setting_label(setting)
    return label[0].lower() + label[1:]
