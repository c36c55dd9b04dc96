"""The sweep over thresholds: accuracy and PGR, labels, difficulty and topics, as figures and tables (fig. 3 to 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from w2s_jobs.contracts.analyses import Composition, GroupAccuracy, ThresholdLabels
from w2s_jobs.contracts.results import Results
from w2s_jobs.core.analysis.words import setting_label, threshold_word
from w2s_jobs.engines.reporting.composition_figures import composition_panels, group_panels
from w2s_jobs.engines.reporting.label_figures import label_panels
from w2s_jobs.engines.reporting.sections import Block
from w2s_jobs.engines.reporting.tables import DASH, Cell, Table, accuracy_cell, difference_cell, pgr_cell, share_cell
from w2s_jobs.engines.reporting.threshold_figures import threshold_panels

__all__ = ["composition_blocks", "label_block", "threshold_blocks"]


def threshold_blocks(results: Results) -> Iterator[Block]:
    """Show accuracy and PGR against the threshold of each round (fig. 4)."""
    panels = threshold_panels(results, "accuracy")
    if not panels:
        return
    level = f"{100 * results.confidence_level:g}%"
    several = max(len(setting.seeds) for setting in results.settings) > 1
    caption = (
        "As in figure 4 of the paper. Each round is a panel; a line is one threshold of round 1, in the same colour "
        "everywhere, the more contrast the stricter. Dashed: baselines, shaded with their intervals. Whiskers: "
        f"{level} intervals, left out where more than four lines would hide each other; of more than eight lines only "
        "the best is labelled." + (" Small dashes: single seeds." if several else "")
    )
    if results.choices:
        caption += " Stars: thresholds that a rule chose without gold."
    caption += f" {_above(results)}"
    rounds = [s for s in results.settings if s.role == "round"]
    table = Table(
        caption="The numbers of the figures (tables 5 to 8 of the paper). Differences in bold exclude zero.",
        headings=("Setting", "Accuracy", "PGR", "Against conventional", "Against round before"),
        rows=[
            (
                Cell(setting_label(s), role=s.role),
                accuracy_cell(s.accuracy),
                pgr_cell(s.pgr, results.gap),
                difference_cell(s.difference),
                difference_cell(s.gain),
            )
            for s in rounds
        ],
        folded=True,
    )
    recovered = threshold_panels(results, "pgr")
    if recovered and results.gap.certain:
        yield Block(panels, caption)
        yield Block(recovered, "The same points as PGR: 0% is the weak model, 100% the ceiling.", (table,))
    else:
        formula = " The formula's values stand in results.json." if recovered else ""
        yield Block(panels, caption, (table,), note=f"PGR is not drawn: {results.gap.reason}.{formula}")


def label_block(results: Results) -> Block | None:
    """Show correctness and coverage of what is kept against the threshold (fig. 3)."""
    panels = label_panels(results)
    if not panels:
        return None
    caption = (
        "As in figure 3 of the paper. Round 1 is drawn at every threshold that the votes can tell apart, from the "
        "votes alone; dots mark thresholds that were trained on. A stricter threshold keeps fewer labels; whether more "
        "of them are right is what the left panel shows. Correctness compares with gold that no training but the "
        "ceiling's ever saw."
    )
    by_threshold: dict[int, list[ThresholdLabels]] = defaultdict(list)
    for row in results.threshold_labels:
        by_threshold[row.threshold].append(row)
    first = [
        (
            Cell(f"t₁ = {threshold}%", role="round"),
            Cell(f"{sum(row.kept for row in rows) / len(rows):,.0f}"),
            share_cell(_mean([row.coverage for row in rows])),
            share_cell(_mean([row.label_correctness for row in rows])),
        )
        for threshold, rows in sorted(by_threshold.items())
    ]
    later = [
        (
            Cell(setting_label(s), role="round"),
            Cell(f"{s.training.size:,.0f}"),
            share_cell(s.training.coverage),
            share_cell(s.training.label_correctness),
        )
        for s in results.settings
        if s.role == "round" and len(s.thresholds) > 1 and s.training is not None
    ]
    table = Table(
        caption="Labels kept by each threshold of round 1; for later rounds the whole training set.",
        headings=("Threshold", "Labels", "Share of questions", "Right"),
        rows=[*first, *later],
        folded=True,
    )
    return Block(panels, caption, (table,))


def composition_blocks(results: Results) -> Iterator[Block]:
    """Show levels and topics of what is kept (fig. 5 to 8), and accuracy within them."""
    for composition in results.compositions:
        panels = composition_panels(results, composition)
        yield Block(panels, _composition_caption(composition), (_composition_table(results, composition),))
    for groups in results.group_accuracies:
        caption = (
            f"Accuracy within each {groups.by} of the test questions. Groups are small: differences inside one are "
            "less sure than those of the whole."
        )
        yield Block(group_panels(results, groups), caption, (_group_table(results, groups),))


def _above(results: Results) -> str:
    """Say how sure the figure is."""
    differences = [s.difference for s in results.settings if s.role == "round" and s.difference is not None]
    if not differences:
        return "Without a conventional baseline no difference is judged."
    better, worse = sum(d.better for d in differences), sum(d.worse for d in differences)
    return (
        f"Of {len(differences)} settings, {better} lie above conventional training beyond their interval and {worse} "
        "below it."
    )


def _composition_caption(composition: Composition) -> str:
    whole = composition.mixes[0]
    strictest = max(
        (m for m in composition.mixes if m.name.startswith("round1/") and isinstance(m.thresholds[0], int)),
        key=lambda m: int(m.thresholds[0]),
        default=None,
    )
    if composition.by == "level":
        seen = ""
        if strictest is not None and whole.mean is not None and strictest.mean is not None:
            seen = (
                f" The mean level goes from {whole.mean:.2f} over all questions to {strictest.mean:.2f} at "
                f"{threshold_word(strictest.thresholds[0])}."
            )
        return (
            "As in figures 5 (round 1) and 7b (round 2) of the paper: a filter that prefers what the weak model is "
            f"sure of may prefer what is easy.{seen} Counts of all kept questions: no interval."
        )
    return (
        "As in figures 6 and 8a (round 1), 7a and 8b (round 2) of the paper, drawn as the change of each topic's share "
        "against all questions. Counts of all kept questions: no interval."
    )


def _composition_table(results: Results, composition: Composition) -> Table:
    named = {setting.name: setting for setting in results.settings}
    has_mean = any(mix.mean is not None for mix in composition.mixes)
    unit = "level " if composition.by == "level" else ""
    rows = []
    mixes = {mix.name: mix for mix in composition.mixes}
    # In the order of every other table; a mix carries the name of its setting.
    for mix in (mixes[name] for name in ("all", *named) if name in mixes):
        total = sum(mix.counts)
        setting = named.get(mix.name)
        name = Cell("All questions") if setting is None else Cell(setting_label(setting), role=setting.role)
        cells = [name, Cell(f"{total:,}")]
        cells += [share_cell(count / total if total else None) for count in mix.counts]
        rows.append((*cells, Cell(DASH if mix.mean is None else f"{mix.mean:.2f}")) if has_mean else tuple(cells))
    return Table(
        caption="Share of each group in the training set; several seeds are pooled.",
        headings=(
            "Training set",
            "Questions",
            *(f"{unit}{group}" for group in composition.groups),
            *(["Mean level"] if has_mean else []),
        ),
        rows=rows,
        folded=True,
    )


def _group_table(results: Results, groups: GroupAccuracy) -> Table:
    sizes = (Cell("test questions"), *(Cell(f"{n:,}") for n in groups.questions))
    rows = [
        (Cell(setting_label(setting), role=setting.role), *(share_cell(v) for v in groups.accuracy[setting.name]))
        for setting in results.settings
    ]
    unit = "level " if groups.by == "level" else ""
    return Table(
        caption="Accuracy of every setting, mean over seeds.",
        headings=("Setting", *(f"{unit}{group}" for group in groups.groups)),
        rows=[sizes, *rows],
        folded=True,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
