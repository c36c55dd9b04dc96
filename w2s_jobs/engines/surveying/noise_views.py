"""Clean labels with more and more of the wrong ones (paper `reward`, fig. 7 left, 30, 39)."""

from __future__ import annotations

from w2s_jobs.contracts.survey_results import SurveySetting
from w2s_jobs.engines.reporting.sections import Block
from w2s_jobs.engines.surveying.captions import against_wts, intervals
from w2s_jobs.engines.surveying.line_figure import Dot, Line, Plane, line_panels
from w2s_jobs.engines.surveying.matrix import accuracy_table
from w2s_jobs.engines.surveying.names import pair_label, pair_looks
from w2s_jobs.engines.surveying.survey_view import Pair, SurveyView, score_of

__all__ = ["noise_block"]

_ALL = 1.0
"""Where WTS lies: it learns from all wrong labels."""


def noise_block(view: SurveyView) -> Block | None:
    """Show accuracy against the share of the wrong labels that is learnt from."""
    settings = view.find("clean", "noise")
    if not settings:
        return None
    pairs = view.pairs(settings)
    places = sorted({_noise(s) for s in settings} | ({_ALL} if view.find("wts") else set()))
    ticks = tuple((x, "clean" if x == 0 else f"{100 * x:g}%") for x in places)
    plane = Plane(ticks, "share of the wrong labels that is kept", shift=0.006)
    large, small, legend = line_panels(
        "noise", "Accuracy", plane, lambda column: _lines(view, pairs, column), view.columns
    )
    shown = [s for pair in pairs for s in sorted(_of(view, pair), key=_noise)]
    caption = (
        "As in figures 7 (left), 30 and 39 of the paper: the strong model trained on the right weak labels, by gold, "
        "and on a growing share of the wrong ones. An analysis: gold of the unlabelled data chooses here. At 100% "
        f"stands WTS, which learns from all weak labels. {intervals(view)} {against_wts(settings, 'these trainings')}"
    )
    return Block(
        large, caption, (accuracy_table(view, shown, ""),), each=small, legend=legend, title="Clean labels and noise"
    )


def _lines(view: SurveyView, pairs: list[Pair], column: str | None) -> list[Line]:
    looks = pair_looks(pairs)
    lines = []
    for pair in pairs:
        scores = [(_noise(s), score_of(s, column)) for s in _of(view, pair)]
        dots = tuple(Dot(x, s.accuracy.value, s.accuracy.interval) for x, s in sorted(scores, key=_place) if s)
        colour, marker = looks[pair]
        lines.append(Line(pair_label(*pair), colour, dots, marker))
    return lines


def _place(entry: tuple[float, object]) -> float:
    return entry[0]


def _of(view: SurveyView, pair: Pair) -> list[SurveySetting]:
    """Take one setting for each share: noise of 0% is what is clean, and of 100% what WTS learns from."""
    of_pair = [s for s in view.find("clean", "noise", "wts") if (s.weak, s.model) == pair]
    return list({_noise(s): s for s in sorted(of_pair, key=lambda s: s.role == "noise")}.values())


def _noise(setting: SurveySetting) -> float:
    """Return the share of the wrong labels that a setting learnt from."""
    if setting.role == "wts":
        return _ALL
    return int(setting.variant) / 100 if setting.role == "noise" else 0.0
