"""What grows with the models: accuracy by size, by the size of the weak supervisor, and what the method recovers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from w2s_jobs.contracts.survey_results import SurveySetting
from w2s_jobs.engines.reporting.sections import Block
from w2s_jobs.engines.surveying.captions import against_wts, intervals
from w2s_jobs.engines.surveying.line_figure import Dot, Line, Plane, line_panels
from w2s_jobs.engines.surveying.matrix import accuracy_table, pgr_table
from w2s_jobs.engines.surveying.names import Look, look, model_looks
from w2s_jobs.engines.surveying.survey_view import Quantity, SurveyView, interval_of, score_of, value_of

__all__ = ["method_blocks", "size_block", "supervision_block"]


def method_blocks(view: SurveyView) -> Iterator[Block]:
    """Show accuracy and PGR of ours, WTS and the ceiling against the strong model (fig. 8, 9, 13, 14, 32, 33)."""
    ours = view.find("selected", variant="reward")
    learnt = [*view.find("wts"), *ours]
    if not learnt:
        return
    shown = sorted(
        [*learnt, *view.find("ceiling")],
        key=lambda s: (view.order[s.model], s.weak is None, view.order[s.weak or s.model]),
    )
    plane = _models_plane(view, [s.model for s in shown], "strong model", "accuracy")
    large, small, legend = line_panels(
        "method", "Accuracy", plane, lambda column: _method_lines(view, column, "accuracy"), view.columns
    )
    recovered, each_recovered, marks = line_panels(
        "pgr", "PGR", replace(plane, quantity="pgr"), lambda column: _method_lines(view, column, "pgr"), view.columns
    )
    caption = (
        f"As in figures 8 and 13 (accuracy), 9 and 14 (PGR) of the paper. {_taught_by(view)} {intervals(view)} "
        f"{against_wts(ours, 'ours') if ours else ''}"
    ).strip()
    yield Block(
        [*large, *recovered],
        caption,
        (accuracy_table(view, shown, ""),),
        legend=legend,
        title="Averaged over capabilities",
    )
    yield Block(
        (), "As in figure 32 of the paper.", each=small, legend=legend, each_summary="Accuracy of each capability"
    )
    if each_recovered:
        taught = [s for s in shown if s.weak is not None]
        caption = (
            "As in figure 33 of the paper: 0% is no better than the weak model that taught, 100% as good as the "
            "ceiling of the same strong model. Whiskers are cut where they would hide all else, but not in the table."
        )
        table = pgr_table(view, taught, "")
        yield Block((), caption, (table,), each=each_recovered, legend=marks, each_summary="PGR of each capability")


def _method_lines(view: SurveyView, column: str | None, quantity: Quantity) -> list[Line]:
    ceiling = [_line(view, view.find("ceiling"), column, "Ceiling")] if quantity == "accuracy" else []
    ours, wts = view.find("selected", variant="reward"), view.find("wts")
    if _is_chain(view):
        return [_line(view, ours, column, "Ours", quantity), _line(view, wts, column, "WTS", quantity), *ceiling]
    looks = model_looks(view.results.models)
    lines = []
    for weak in view.results.models:
        for settings, name in ((ours, "Ours"), (wts, "WTS")):
            dots = _dots(view, [s for s in settings if s.weak == weak], column, quantity)
            lines.append(Line(f"{name} from {weak}", looks[weak][0], dots, looks[weak][1], hollow=name == "WTS"))
    return [*lines, *ceiling]


def _is_chain(view: SurveyView) -> bool:
    """Tell whether no weak model taught two strong ones: then one line goes through all pairs."""
    pairs = view.pairs([*view.find("wts"), *view.find("selected", variant="reward")])
    return max(Counter(weak for weak, _ in pairs).values(), default=0) <= 1


def _taught_by(view: SurveyView) -> str:
    if _is_chain(view):
        return "Each model taught the next larger one of the chain."
    return "Colour and shape are the weak model that taught: filled marks are ours, hollow ones WTS."


def size_block(view: SurveyView) -> Block | None:
    """Show accuracy by model size: trained on gold, and as it is with examples in context (fig. 1 left, 15)."""
    settings = view.find("weak", "ceiling", "in-context")
    if len({s.model for s in settings}) < 2:
        return None
    plane = _models_plane(view, [s.model for s in settings], "model", "accuracy")
    labels = {
        "weak": "Weak: on labelled data, one a capability",
        "ceiling": "Ceiling: on gold of the unlabelled data",
        "in-context": "In context: not trained",
    }
    large, small, legend = line_panels(
        "sizes",
        "Accuracy",
        plane,
        lambda column: [_line(view, view.find(role), column, label) for role, label in labels.items()],
        view.columns,
    )
    caption = (
        f"As in figures 1 (left) and 15 of the paper: models of each size taught with gold labels. {intervals(view)}"
    )
    return Block(
        large, caption, (accuracy_table(view, settings, ""),), each=small, legend=legend, title="Accuracy by model size"
    )


def supervision_block(view: SurveyView) -> Block | None:
    """Show WTS against the size of the weak model that taught it (fig. 2, 17)."""
    taught = view.find("wts")
    several = [m for m in view.results.models if sum(s.model == m for s in taught) > 1]
    if not several:
        return None
    shown = [s for s in taught if s.model in several]
    weak = [s for s in view.find("weak") if s.model in {t.weak for t in shown}]
    plane = _models_plane(view, [t.weak or t.model for t in shown], "weak model that taught", "accuracy")
    looks = model_looks(view.results.models)

    def lines(column: str | None) -> list[Line]:
        strong = [
            Line(
                f"WTS, strong model {m}",
                looks[m][0],
                _dots(view, [s for s in shown if s.model == m], column, "accuracy", by_weak=True),
                looks[m][1],
            )
            for m in several
        ]
        return [_line(view, weak, column, "the weak model itself"), *strong]

    large, small, legend = line_panels("supervision", "Accuracy", plane, lines, view.columns)
    caption = (
        "As in figures 2 and 17 of the paper: the same strong model taught by weak models of different size. "
        f"{intervals(view)}"
    )
    return Block(
        large,
        caption,
        (accuracy_table(view, [*weak, *shown], ""),),
        each=small,
        legend=legend,
        title="Weak supervision of each size",
    )


def _line(
    view: SurveyView, settings: Sequence[SurveySetting], column: str | None, label: str, quantity: Quantity = "accuracy"
) -> Line:
    seen = look(settings[0]) if settings else Look("direct", "o")
    return Line(label, seen.colour, _dots(view, settings, column, quantity), seen.marker)


def _dots(
    view: SurveyView,
    settings: Sequence[SurveySetting],
    column: str | None,
    quantity: Quantity,
    by_weak: bool = False,
) -> tuple[Dot, ...]:
    dots = []
    for setting in settings:
        score = score_of(setting, column)
        value = value_of(score, quantity)
        if score is not None and value is not None:
            model = setting.weak if by_weak and setting.weak is not None else setting.model
            dots.append(Dot(view.order[model], value, interval_of(score, quantity)))
    return tuple(sorted(dots, key=lambda dot: dot.x))


def _models_plane(view: SurveyView, models: Sequence[str], across: str, quantity: Quantity) -> Plane:
    ticks = tuple((float(view.order[m]), m) for m in view.results.models if m in set(models))
    return Plane(ticks, across, quantity, shift=0.045)
