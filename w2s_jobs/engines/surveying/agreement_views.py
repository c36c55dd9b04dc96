"""How far two sets of answers agree (paper `reward`, fig. 5, 6, 24 to 29)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from w2s_jobs.contracts.survey_results import AGREEMENT_CLASSES, Agreement, AgreementCounts
from w2s_jobs.core.analysis.words import percent
from w2s_jobs.engines.reporting.sections import Block
from w2s_jobs.engines.reporting.tables import Cell, Table
from w2s_jobs.engines.surveying.names import EACH_PAIR, SHOWN_PAIRS, pair_label
from w2s_jobs.engines.surveying.stack_figure import StackRow, class_legend, class_names, shares, stack_panel
from w2s_jobs.engines.surveying.survey_view import SurveyView

__all__ = ["agreement_blocks", "class_cells"]

_NAMES = {"weak": "weak", "wts": "WTS", "wts-2": "WTS-2"}
_FIGURES = {"weak": "figures 5 and 24 to 26", "wts": "figures 6 and 27 to 29"}
_TOGETHER = "together"


def agreement_blocks(view: SurveyView) -> Iterator[Block]:
    """Show the five classes, for each two sets of answers and each split."""
    for first, second in (("weak", "wts"), ("wts", "wts-2")):
        for on in ("unlabelled", "test"):
            found = [a for a in view.results.agreements if (a.first, a.second, a.on) == (first, second, on)]
            if found:
                yield _block(view, sorted(found, key=lambda a: (view.order[a.model], view.order[a.weak])))


def _block(view: SurveyView, found: Sequence[Agreement]) -> Block:
    first, second, on = _NAMES[found[0].first], _NAMES[found[0].second], found[0].on
    name = f"agree-{found[0].first}-{on}"
    each = [
        stack_panel(
            f"{name}{i}",
            pair_label(agreement.weak, agreement.model),
            [StackRow(row, counts, strong=row == _TOGETHER) for row, counts in _rows(view, agreement)],
            first,
            second,
        )
        for i, agreement in enumerate(found)
    ]
    rows = [StackRow(pair_label(a.weak, a.model), a.together) for a in found]
    overview = [stack_panel(name, "All capabilities together", rows, first, second)]
    seeds = " Seeds are added up." if any(len(a.seeds) > 1 for a in found) else ""
    caption = (
        f"As in {_FIGURES[found[0].first]} of the paper: what the {first} and the {second} model answer to the same "
        f"questions of the {on} split. Answers are compared as the task compares them; one that is missing equals "
        f"nothing.{seeds} {_seen(found, first, second)} Counts of all questions: no interval."
    )
    table = Table(
        caption="Shares of the five classes.",
        headings=("Models", "Capability", "Questions", *class_names(first, second).values()),
        rows=[
            (Cell(pair_label(agreement.weak, agreement.model)), Cell(name), *class_cells(counts))
            for agreement in found
            for name, counts in _rows(view, agreement)
        ],
        folded=True,
        wide=True,
    )
    return Block(
        overview if len(found) > 1 else each,
        caption,
        (table,),
        each=each if len(found) > 1 else (),
        each_summary=EACH_PAIR,
        each_small=False,
        each_open=len(found) <= SHOWN_PAIRS,
        legend=class_legend(first, second),
        title=f"{first[0].upper()}{first[1:]} and {second}, {on} split",
    )


def class_cells(counts: AgreementCounts) -> tuple[Cell, ...]:
    """Write how many questions there are, and the share of each class."""
    total = sum(getattr(counts, name) for name in AGREEMENT_CLASSES)
    return (Cell(f"{total:,}"), *(Cell(percent(share)) for share in shares(counts).values()))


def _rows(view: SurveyView, agreement: Agreement) -> list[tuple[str, AgreementCounts]]:
    each = [
        (name, agreement.capabilities[name]) for name in view.results.capabilities if name in agreement.capabilities
    ]
    return [(_TOGETHER, agreement.together), *each]


def _seen(found: Sequence[Agreement], first: str, second: str) -> str:
    """Tell which of the two is right alone more often."""
    more = sum(a.together.second_right > a.together.first_right for a in found)
    if len(found) == 1:
        counts = found[0].together
        return f"{second} alone is right on {counts.second_right:,} questions, {first} alone on {counts.first_right:,}."
    return f"In {more} of {len(found)} pairs {second} alone is right more often than {first} alone."
