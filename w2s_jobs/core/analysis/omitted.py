"""Analyses of the paper that a run has no data for, each with its reason, so that a gap in the report is explained."""

from __future__ import annotations

from w2s_jobs.contracts.analyses import Omitted
from w2s_jobs.contracts.results import Results

__all__ = ["omitted_analyses"]


def omitted_analyses(results: Results) -> tuple[Omitted, ...]:
    """List what is missing from `results`, in the order of the paper."""
    family = f"questions of the family {results.family}"
    by = {composition.by for composition in results.compositions}
    swept = any(s.role == "round" and isinstance(s.thresholds[-1], int) for s in results.settings)
    labels = any(row.label_correctness is not None for row in results.threshold_labels)
    no_labels = "no gold of the unlabelled split" if results.threshold_labels else "no votes of round 1"
    listed = (
        (labels, "Label correctness against the threshold (figure 3)", no_labels),
        (swept, "Accuracy and PGR against the threshold (figure 4)", "no round with a threshold was evaluated"),
        ("level" in by, "Difficulty of what is kept (figures 5, 7b)", f"{family} carry no levels"),
        ("topic" in by, "Topics of what is kept (figures 6, 7a, 8)", f"{family} carry no topics"),
        (results.filter_effects, "Round 2 with and without its filter (table 1)", "no ablation `unfiltered`"),
        (results.iterations, "Further rounds (table 2)", "fewer than two rounds"),
        (results.forms, "Chain of thought against direct answers (table 3)", "no ablation `direct` with its baselines"),
        (results.extra_test, "A small and a large test set (table 4)", "no split `extraTest`"),
        (results.choices, "Thresholds chosen without gold", "no threshold rule"),
        (results.published, "Published numbers beside this run's", "`spec.evaluation.published` is not set"),
    )
    return tuple(Omitted(analysis=analysis, reason=reason) for found, analysis, reason in listed if not found)
