"""Weak labels before and after selection: how many are right, what is kept of each class (fig. 11, 12, 34 to 37)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from w2s_jobs.contracts.settings import SelectionRule
from w2s_jobs.contracts.survey_results import AGREEMENT_CLASSES, CapabilityFigures, KeptLabels, LabelQuality
from w2s_jobs.core.analysis.words import percent
from w2s_jobs.engines.reporting.palette import GRID, ROLE, as_css_variables
from w2s_jobs.engines.reporting.row_figure import Mark, Row, row_panel
from w2s_jobs.engines.reporting.sections import Block, LegendEntry
from w2s_jobs.engines.reporting.tables import DASH, EMPTY, Cell, Table, share_cell
from w2s_jobs.engines.surveying.line_figure import marks_legend
from w2s_jobs.engines.surveying.names import AVERAGE, EACH_PAIR, SHOWN_PAIRS, folded, pair_label, way_label
from w2s_jobs.engines.surveying.stack_figure import StackRow, class_legend, class_looks, class_names, stack_panel
from w2s_jobs.engines.surveying.survey_view import SurveyView

__all__ = ["kept_block", "labels_block"]

_ALL = "all capabilities"
_RULES: tuple[SelectionRule, ...] = ("reward", "both", "confidence", "random")
_LABELS = {"reward": "selected by reward", "both": "by reward and confidence", "confidence": "by confidence"}


def labels_block(view: SurveyView) -> Block | None:
    """Show the share of right labels of the weak, the strong and the selected data, and retention (fig. 11, 34)."""
    found = _ordered(view)
    if not found:
        return None
    rule = _shown_rule(found)
    rows = [_right_row(folded(pair_label(q.weak, q.model), 20), q.average, rule) for q in found]
    overview = [row_panel("labels", f"Right labels, {AVERAGE}", rows, percent, explained=False)]
    each = [
        row_panel(
            f"labels{i}",
            pair_label(quality.weak, quality.model),
            [_right_row(folded(name), figures, rule) for name, figures in _rows(view, quality)],
            percent,
            explained=False,
        )
        for i, quality in enumerate(found)
    ]
    bars = f" Grey bars: share of the weak labels that are kept ({_word(rule)})." if rule else ""
    caption = (
        "As in figures 11 and 34 of the paper: the share of right labels, by gold that no selection saw, among the "
        f"weak labels, those of the WTS model, and the selected weak ones.{bars} Counts of all labels: no interval."
    )
    return Block(
        overview if len(found) > 1 else each,
        caption,
        (_right_table(view, found),),
        each=each if len(found) > 1 else (),
        each_summary=EACH_PAIR,
        each_small=False,
        each_open=len(found) <= SHOWN_PAIRS,
        legend=(*marks_legend(rows), *([LegendEntry("", as_css_variables(GRID), "share kept")] if rule else [])),
        title="Right labels before and after selection",
    )


def kept_block(view: SurveyView) -> Block | None:
    """Show what a selection keeps of each class of agreement (fig. 12, 35 to 37)."""
    found = _ordered(view)
    rule = _shown_rule(found)
    if rule is None:
        return None
    looks = class_looks("weak", "WTS")
    rows = [Row(folded(pair_label(q.weak, q.model), 20), _class_marks(q, rule, looks)) for q in found]
    each = [
        stack_panel(
            f"kept{i}",
            pair_label(quality.weak, quality.model),
            [
                StackRow(name, figures.agreement, figures.selected[rule].by_class, strong=name == AVERAGE)
                for name, figures in _rows(view, quality)
                if rule in figures.selected
            ],
            "weak",
            "WTS",
        )
        for i, quality in enumerate(found)
    ]
    caption = (
        f"As in figures 12 (together) and 35 to 37 (each capability) of the paper: what the selection ({_word(rule)}) "
        "keeps of each class of agreement between weak and WTS labels. In the bars the kept part is full, what was "
        "dropped is faint, and the number is the share of the class that was kept. A good judge keeps the labels where "
        "weak is right, also where WTS is wrong, and drops the rest. Counts of all labels: no interval."
    )
    return Block(
        [row_panel("kept", f"Share of each class that is kept, {_ALL}", rows, percent, explained=False)],
        caption,
        (_kept_table(view, found),),
        each=each,
        each_summary=EACH_PAIR,
        each_small=False,
        each_open=len(found) <= SHOWN_PAIRS,
        legend=class_legend("weak", "WTS"),
        title="What is kept of each class",
    )


def _right_row(label: str, figures: CapabilityFigures, rule: SelectionRule | None) -> Row:
    marks = [
        Mark("weak", figures.weak, None, ROLE["weak"], "v"),
        Mark("WTS", figures.strong, None, ROLE["conventional"], "s"),
    ]
    kept = figures.selected.get(rule) if rule else None
    if kept is not None and kept.correctness is not None:
        marks.append(Mark(_word(rule), kept.correctness, None, ROLE["round"]))
    return Row(label, tuple(marks), bar=kept.retention if kept else None, strong=label == AVERAGE)


def _class_marks(
    quality: LabelQuality, rule: SelectionRule, looks: Mapping[str, tuple[str, str, str]]
) -> tuple[Mark, ...]:
    """Mark the share of each class that is kept, all capabilities together."""
    shares = [(look, _kept_share(quality.average, rule, name)) for name, look in looks.items()]
    return tuple(
        Mark(label, share, None, colour, marker) for (label, colour, marker), share in shares if share is not None
    )


def _right_table(view: SurveyView, found: Sequence[LabelQuality]) -> Table:
    rules = [rule for rule in _RULES if any(rule in q.average.selected for q in found)]
    rows = []
    for quality in found:
        for name, figures in _rows(view, quality):
            cells = [Cell(pair_label(quality.weak, quality.model)), Cell(name), Cell(f"{figures.offered:,.0f}")]
            cells += [share_cell(figures.weak), share_cell(figures.strong)]
            rows.append((*cells, *(_rule_cell(figures.selected.get(rule)) for rule in rules)))
    return Table(
        caption="Right labels, as a share; under those of a selection: how many labels it keeps, and their share.",
        headings=("Models", "Capability", "Labels", "Weak", "WTS", *(way_label("selected", rule) for rule in rules)),
        rows=rows,
        folded=True,
        wide=True,
    )


def _kept_table(view: SurveyView, found: Sequence[LabelQuality]) -> Table:
    rows = []
    for quality in found:
        for name, figures in _rows(view, quality):
            for rule in (r for r in _RULES if r in figures.selected):
                shares = [_kept_share(figures, rule, part) for part in AGREEMENT_CLASSES]
                models = f"{pair_label(quality.weak, quality.model)}, {way_label('selected', rule)}"
                rows.append((Cell(models), Cell(name), *(share_cell(share) for share in shares)))
    return Table(
        caption="Share of each class that a selection keeps.",
        headings=("Models and rule", "Capability", *class_names("weak", "WTS").values()),
        rows=rows,
        folded=True,
        wide=True,
    )


def _rule_cell(kept: KeptLabels | None) -> Cell:
    if kept is None:
        return EMPTY
    right = DASH if kept.correctness is None else percent(kept.correctness)
    return Cell(right, f"{kept.kept:,.0f}, {percent(kept.retention, 0)}")


def _kept_share(figures: CapabilityFigures, rule: SelectionRule, part: str) -> float | None:
    kept, offered = figures.selected.get(rule), getattr(figures.agreement, part)
    return getattr(kept.by_class, part) / offered if kept is not None and offered else None


def _ordered(view: SurveyView) -> list[LabelQuality]:
    return sorted(view.results.labels, key=lambda q: (view.order[q.model], view.order[q.weak]))


def _rows(view: SurveyView, quality: LabelQuality) -> Iterator[tuple[str, CapabilityFigures]]:
    yield AVERAGE, quality.average
    for name in view.results.capabilities:
        if name in quality.capabilities:
            yield name, quality.capabilities[name]


def _shown_rule(found: Sequence[LabelQuality]) -> SelectionRule | None:
    """Choose the rule that the figures show: that of the paper, or the first that there is. A draw judges nothing."""
    return next((rule for rule in _RULES[:3] if any(rule in q.average.selected for q in found)), None)


def _word(rule: SelectionRule | None) -> str:
    return _LABELS.get(rule or "", "")
