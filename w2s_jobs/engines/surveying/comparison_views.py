"""Ways of making a model side by side, for each pair of models: one panel a pair, one row a capability."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from w2s_jobs.contracts.survey_results import SurveySetting
from w2s_jobs.engines.reporting.sections import Block
from w2s_jobs.engines.reporting.tables import Table
from w2s_jobs.engines.surveying.captions import against_wts, intervals
from w2s_jobs.engines.surveying.matrix import Compared, Way, accuracy_table, compare_pairs, difference_table
from w2s_jobs.engines.surveying.names import EACH_PAIR, SHOWN_PAIRS
from w2s_jobs.engines.surveying.survey_view import SurveyView

__all__ = [
    "in_context_block",
    "label_source_block",
    "random_block",
    "removed_block",
    "rules_block",
    "single_block",
    "warm_up_block",
    "weakened_block",
]


@dataclass(frozen=True)
class _Comparison:
    """What is compared, and what is said about it."""

    key: str
    title: str
    ways: tuple[Way, ...]
    about: tuple[Way, ...]
    """about these ways: a pair of models without any of them is left out"""
    what: str
    caption: str


def single_block(view: SurveyView) -> Block | None:
    """Compare one strong model a capability with one for all (fig. 1 right, 16, 38)."""
    return _block(
        view,
        _Comparison(
            "single",
            "One model a capability, or one for all",
            (("weak", None), ("wts-single", None), ("wts", None)),
            (("wts-single", None),),
            "WTS-S",
            "As in figures 1 (right), 16 and 38 of the paper: the weak models, WTS-S (a strong model a capability, "
            "each trained on the weak labels of its own) and WTS (one strong model trained on all of them).",
        ),
    )


def random_block(view: SurveyView) -> Block | None:
    """Compare selection by reward with a draw of the same size (table 2)."""
    return _block(
        view,
        _Comparison(
            "random",
            "Selection by reward against a random draw",
            (("selected", "random"), ("selected", "reward")),
            (("selected", "random"),),
            "random draws",
            "As in table 2 of the paper: as many weak labels, drawn at random or chosen by the reward model; both "
            "train the warmed-up strong model.",
        ),
    )


def rules_block(view: SurveyView) -> Block | None:
    """Compare every rule of selection."""
    rules = {s.variant for s in view.find("selected")}
    if len(rules) < 2 or rules == {"reward", "random"}:
        return None
    return _block(
        view,
        _Comparison(
            "rules",
            "Rules of selection side by side",
            (
                ("wts", None),
                ("selected", "random"),
                ("selected", "confidence"),
                ("selected", "both"),
                ("selected", "reward"),
            ),
            (("selected", "confidence"), ("selected", "both")),
            "the two rules with confidence",
            "Not in the paper: weak labels chosen by the reward model (ours), by the agreement of the weak model's "
            "samples (confidence), by both, or at random; WTS learns from all of them.",
        ),
    )


def warm_up_block(view: SurveyView) -> Block | None:
    """Compare training with and without the first stage on all weak labels (fig. 10)."""
    return _block(
        view,
        _Comparison(
            "warmup",
            "With and without warm-up",
            (("no-warm-up", None), ("selected", "reward")),
            (("no-warm-up", None),),
            "trainings without warm-up",
            "As in figure 10 of the paper: trained on the selected labels from the strong model as it is, or after a "
            "first stage on all weak labels (ours).",
        ),
    )


def in_context_block(view: SurveyView) -> Block | None:
    """Compare with in-context learning of the untrained strong model (table 3)."""
    return _block(
        view,
        _Comparison(
            "context",
            "In-context learning",
            (("in-context", None), ("wts", None), ("selected", "reward")),
            (("in-context", None),),
            "in-context learning",
            "As in table 3 of the paper: the untrained strong model with a few solved examples in its prompt, beside "
            "WTS and ours.",
        ),
    )


def label_source_block(view: SurveyView) -> Block | None:
    """Compare learning from weak labels, from strong ones, and from both (fig. 7 right, 31, 40)."""
    return _block(
        view,
        _Comparison(
            "source",
            "Weak labels, strong labels, both",
            (("wts", None), ("wts-2", None), ("mixed", None)),
            (("wts-2", None), ("mixed", None)),
            "WTS-2 and mixed labels",
            "As in figures 7 (right), 31 and 40 of the paper: the strong model trained on weak labels (WTS), on the "
            "labels of the WTS model (WTS-2, self-bootstrapping), or on both.",
        ),
    )


def weakened_block(view: SurveyView) -> Block | None:
    """Show what worse labels of some capabilities do to the others (fig. 3, 18, 19)."""
    return _changed(
        view,
        "weakened",
        "Some capabilities weakened",
        "As in figures 3, 18 and 19 of the paper: the weak labels of the named capabilities come from a smaller model.",
    )


def removed_block(view: SurveyView) -> Block | None:
    """Show what leaving out some capabilities does to the others (fig. 4, 20 to 23)."""
    return _changed(
        view,
        "removed",
        "Some capabilities removed",
        "As in figures 4 and 20 to 23 of the paper: the weak labels of the named capabilities are left out.",
    )


def _changed(view: SurveyView, role: str, title: str, caption: str) -> Block | None:
    settings = view.find(role)
    if not settings:
        return None
    pairs = view.pairs(settings)
    ways: list[Way] = [(role, variant) for variant in dict.fromkeys(s.variant for s in settings)]
    judged = any(s.average.difference is not None for s in settings)
    shown = [s for pair in pairs for s in view.of_pair(pair, ("wts", None), *ways)]
    table = accuracy_table(view, shown, "An asterisk marks the capabilities whose labels were changed.")
    differences = difference_table(view, settings, "An asterisk marks the capabilities whose labels were changed.")
    drawn = compare_pairs(view, role, pairs, ways, differences=judged)
    return _drawn_block(
        title,
        drawn,
        f"{caption} "
        + ("Drawn as points above or below WTS, which has all labels. " if judged else "")
        + f"{intervals(view)} {against_wts(settings, f'{role} trainings')}",
        (table, differences) if judged else (table,),
    )


def _block(view: SurveyView, compared: _Comparison) -> Block | None:
    subject = [s for role, variant in compared.about for s in view.find(role, variant=variant)]
    pairs = _pairs(view, subject)
    if not pairs:
        return None
    shown = list(dict.fromkeys(s.name for pair in pairs for s in view.of_pair(pair, *compared.ways)))
    named = {s.name: s for s in view.results.settings}
    verdict = "" if all(s.average.difference is None for s in subject) else against_wts(subject, compared.what)
    return _drawn_block(
        compared.title,
        compare_pairs(view, compared.key, pairs, compared.ways),
        f"{compared.caption} {intervals(view)} {verdict}".strip(),
        (accuracy_table(view, [named[name] for name in shown], ""),),
    )


def _drawn_block(title: str, drawn: Compared, caption: str, tables: tuple[Table, ...]) -> Block:
    return Block(
        drawn.panels,
        caption,
        tables,
        each=drawn.each,
        each_summary=EACH_PAIR,
        each_small=False,
        each_open=len(drawn.each) <= SHOWN_PAIRS,
        legend=drawn.legend,
        title=title,
    )


def _pairs(view: SurveyView, subject: Sequence[SurveySetting]) -> list[tuple[str, str]]:
    """List the pairs of models that the subject is about; of what no weak model taught, every pair with its model."""
    if any(s.weak is not None for s in subject):
        return view.pairs(subject)
    models = {s.model for s in subject}
    return list(_taught(view, models))


def _taught(view: SurveyView, models: set[str]) -> Iterator[tuple[str, str]]:
    for pair in view.pairs(view.find("wts", "selected")):
        if pair[1] in models:
            yield pair
