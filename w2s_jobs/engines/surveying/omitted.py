"""Analyses of the paper that a survey has no data for, and the field of the manifest that would add each."""

from __future__ import annotations

from w2s_jobs.contracts.analyses import Omitted
from w2s_jobs.engines.surveying.survey_view import SurveyView

__all__ = ["omitted_analyses"]

_METHOD = "spec.method.reward"
_FIELDS = {
    "ceiling": "baselines",
    "wts-single": "ablations",
    "wts-2": "ablations",
    "mixed": "ablations",
    "no-warm-up": "ablations",
    "in-context": "ablations",
    "random": "selections",
    "confidence": "selections",
    "both": "selections",
}
"""Lists of the manifest that what is missing would be an entry of."""


def omitted_analyses(view: SurveyView) -> tuple[Omitted, ...]:
    """List what is missing, in the order of the paper, each with the field that would add it."""
    results, roles = view.results, {s.role for s in view.results.settings}
    rules = {s.variant for s in view.find("selected")}
    taught = view.find("wts")
    compared = {(a.first, a.second) for a in results.agreements}
    defined = any(s.average.pgr.value is not None for s in results.settings if s.role in ("wts", "selected"))
    listed = (
        ("ceiling" in roles, "Accuracy by model size (figures 1 left, 15)", _lacks("ceiling")),
        ("wts-single" in roles, "WTS against one model a capability (figures 1 right, 16, 38)", _lacks("wts-single")),
        (
            any(sum(s.model == m for s in taught) > 1 for m in results.models),
            "Weak supervision of each size (figures 2, 17)",
            f"no strong model has two teachers in {_METHOD}.pairs",
        ),
        ("weakened" in roles, "Weakened capabilities (figures 3, 18, 19)", f"{_METHOD}.weakened is empty"),
        ("removed" in roles, "Removed capabilities (figures 4, 20 to 23)", f"{_METHOD}.removed is empty"),
        (("weak", "wts") in compared, "Agreement of weak and WTS (figures 5, 24 to 26)", "no labels were compared"),
        (("wts", "wts-2") in compared, "Agreement of WTS and WTS-2 (figures 6, 27 to 29)", _lacks("wts-2")),
        (
            bool({"clean", "noise"} & roles),
            "Clean labels and noise (figures 7 left, 30, 39)",
            f"{_METHOD}.noise is empty, and {_METHOD}.ablations lacks clean",
        ),
        (
            {"wts-2", "mixed"} <= roles,
            "Weak, strong and mixed labels (figures 7 right, 31, 40)",
            _lacks(*sorted({"wts-2", "mixed"} - roles)),
        ),
        ("selected" in roles, "Accuracy of selected labels (figures 8, 13, 32)", "no selection was trained on"),
        (defined, "Performance gap recovered (figures 9, 14, 33)", _without_pgr(view)),
        ("no-warm-up" in roles, "With and without warm-up (figure 10)", _lacks("no-warm-up")),
        (bool(results.labels), "Right labels, and what is kept (figures 11, 12, 34 to 37)", "no labels were selected"),
        ("random" in rules, "Random against reward selection (table 2)", _lacks("random")),
        ("in-context" in roles, "In-context learning (table 3)", _lacks("in-context")),
        (
            bool(rules & {"confidence", "both"}),
            "Rules of selection side by side (not in the paper)",
            _lacks("confidence", "both"),
        ),
        (bool(results.rewards), "Quality of the reward model (not in the paper)", "no reward model judged any label"),
    )
    return tuple(Omitted(analysis=analysis, reason=reason) for found, analysis, reason in listed if not found)


def _lacks(*entries: str) -> str:
    """Say which list of the manifest lacks what."""
    return f"{_METHOD}.{_FIELDS[entries[0]]} lacks {' and '.join(entries)}" if entries else ""


def _without_pgr(view: SurveyView) -> str:
    """Give the reasons that the numbers themselves carry."""
    scores = [s.average.pgr.reason for s in view.find("wts", "selected")]
    return "; ".join(sorted({reason for reason in scores if reason})) or "nothing was taught by a weak model"
