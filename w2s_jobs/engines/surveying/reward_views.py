"""How good a judge the reward model is: ROC, calibration, AUC and accuracy, judged by gold that it never saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from w2s_jobs.contracts.survey_results import RewardQuality
from w2s_jobs.core.analysis.words import percent
from w2s_jobs.engines.reporting.palette import ROLE
from w2s_jobs.engines.reporting.row_figure import Mark, Row, row_panel
from w2s_jobs.engines.reporting.sections import Block
from w2s_jobs.engines.reporting.tables import DASH, Cell, Table, share_cell
from w2s_jobs.engines.surveying.line_figure import Dot, Line, Plane, line_panels, marks_legend
from w2s_jobs.engines.surveying.names import EACH_PAIR, SHOWN_PAIRS, folded, pair_label, pair_looks
from w2s_jobs.engines.surveying.survey_view import SurveyView

__all__ = ["reward_blocks"]

_TENTHS = tuple((k / 4, f"{25 * k}%") for k in range(5))
_ALL = "all capabilities"
Draw = Callable[[RewardQuality], tuple[Dot, ...]]


def reward_blocks(view: SurveyView) -> Iterator[Block]:
    """Show the quality of every reward model; nothing where there is none."""
    found = sorted(view.results.rewards, key=lambda r: (view.order[r.model], view.order[r.weak]))
    if not found:
        return
    yield _quality_block(view, found)
    plane = Plane(_TENTHS, "share of the wrong labels that it lets through", diagonal=True, whole=_ALL)
    large, small, legend = line_panels(
        "roc", "ROC", plane, lambda column: _lines(found, column, _roc, False), view.columns
    )
    yield Block(
        large,
        "Share of the right labels that are kept (up) against that of the wrong ones (across), at every cutoff. The "
        "dashed diagonal is chance; the nearer to the upper left, the better the judge. Not in the paper.",
        (_roc_table(found),),
        each=small,
        legend=legend,
        title="ROC",
    )
    plane = Plane(_TENTHS, "mean reward of a tenth", diagonal=True, whole=_ALL)
    large, small, legend = line_panels(
        "calibration", "Calibration", plane, lambda column: _lines(found, column, _calibration, True), view.columns
    )
    yield Block(
        large,
        "Labels in tenths of the reward: their mean reward (across) and the share of them that is right (up). On the "
        "dashed diagonal a reward is the chance of being right. Tenths without labels are left out. Not in the paper.",
        (_calibration_table(found),),
        each=small,
        legend=legend,
        title="Calibration",
    )


def _quality_block(view: SurveyView, found: Sequence[RewardQuality]) -> Block:
    pairs = _pairs(found)
    rows = {pair: _quality_rows(view, [r for r in found if (r.weak, r.model) == pair]) for pair in pairs}
    together = [Row(folded(pair_label(r.weak, r.model), 20), _marks(r)) for r in found if r.capability is None]
    overview = [row_panel("auc", f"AUC and accuracy, {_ALL}", together, percent, explained=False)]
    each = [
        row_panel(f"auc{i}", pair_label(*pair), own, percent, explained=False)
        for i, (pair, own) in enumerate(rows.items())
    ]
    table = Table(
        caption="Accuracy: how often `reward above the cutoff` agrees with `the label is right`.",
        headings=("Models", "Capability", "Labels", "Accuracy", "AUC"),
        rows=[
            (
                Cell(pair_label(r.weak, r.model)),
                Cell(r.capability or _ALL),
                Cell(f"{r.labels:,}"),
                share_cell(r.accuracy),
                Cell(DASH, hint="all labels are right, or none is") if r.auc is None else share_cell(r.auc),
            )
            for r in sorted(found, key=lambda r: pairs.index((r.weak, r.model)))
        ],
        folded=True,
    )
    return Block(
        overview if len(pairs) > 1 and together else each,
        "AUC is the chance that a right label gets a higher reward than a wrong one (50% is chance). Accuracy depends "
        "on the cutoff and on how many labels are right, so compare it with the share of right labels above. "
        "Not in the paper.",
        (table,),
        each=each if len(pairs) > 1 and together else (),
        each_summary=EACH_PAIR,
        each_small=False,
        each_open=len(pairs) <= SHOWN_PAIRS,
        legend=marks_legend([row for own in rows.values() for row in own]),
        title="AUC and accuracy",
    )


def _quality_rows(view: SurveyView, own: Sequence[RewardQuality]) -> list[Row]:
    return [Row(folded(r.capability or _ALL), _marks(r), strong=r.capability is None) for r in _in_order(view, own)]


def _marks(reward: RewardQuality) -> tuple[Mark, ...]:
    accuracy = Mark("accuracy", reward.accuracy, None, ROLE["conventional"], "s")
    return (accuracy,) if reward.auc is None else (Mark("AUC", reward.auc, None, ROLE["round"]), accuracy)


def _lines(found: Sequence[RewardQuality], column: str | None, dots: Draw, marked: bool) -> list[Line]:
    looks = pair_looks(_pairs(found))
    own = [(r, *looks[r.weak, r.model]) for r in found if r.capability == column]
    return [Line(pair_label(r.weak, r.model), colour, dots(r), mark if marked else "") for r, colour, mark in own]


def _roc(reward: RewardQuality) -> tuple[Dot, ...]:
    ordered = sorted((p.false_positive_rate, p.true_positive_rate) for p in reward.roc)
    return tuple(Dot(x, y, None) for x, y in ordered)


def _calibration(reward: RewardQuality) -> tuple[Dot, ...]:
    return tuple(Dot(b.mean_reward, b.right, None) for b in reward.calibration if b.labels)


def _roc_table(found: Sequence[RewardQuality]) -> Table:
    rows = [
        (
            Cell(pair_label(r.weak, r.model)),
            Cell(percent(point.cutoff)),
            share_cell(point.true_positive_rate),
            share_cell(point.false_positive_rate),
        )
        for r in found
        if r.capability is None
        for point in r.roc
    ]
    return Table(
        caption="All capabilities together: what a cutoff keeps of the right labels, and of the wrong ones.",
        headings=("Models", "Cutoff", "Right labels kept", "Wrong labels kept"),
        rows=rows,
        folded=True,
    )


def _calibration_table(found: Sequence[RewardQuality]) -> Table:
    rows = [
        (
            Cell(pair_label(r.weak, r.model)),
            Cell(f"{percent(b.low, 0)} to {percent(b.high, 0)}"),
            Cell(f"{b.labels:,}"),
            share_cell(b.mean_reward),
            share_cell(b.right),
        )
        for r in found
        if r.capability is None
        for b in r.calibration
        if b.labels
    ]
    return Table(
        caption="All capabilities together.",
        headings=("Models", "Reward", "Labels", "Mean reward", "Right"),
        rows=rows,
        folded=True,
    )


def _pairs(found: Sequence[RewardQuality]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((r.weak, r.model) for r in found))


def _in_order(view: SurveyView, own: Sequence[RewardQuality]) -> list[RewardQuality]:
    by_column = {r.capability: r for r in own}
    return [by_column[column] for column in view.columns if column in by_column]
