"""Analyses of the paper that a survey has no data for, and the field of the manifest that would add each."""

from __future__ import annotations

from w2s_jobs.contracts.analyses import Omitted
from w2s_jobs.engines.surveying.survey_view import SurveyView

__all__ = ["omitted_analyses"]

_METHOD = "spec.method.reward"


def omitted_analyses(view: SurveyView) -> tuple[Omitted, ...]:
    """List what is missing, in the order of the paper."""
    results, roles = view.results, {s.role for s in view.results.settings}
    rules = {s.variant for s in view.find("selected")}
    taught = view.find("wts")
    compared = {(a.first, a.second) for a in results.agreements}
    defined = any(s.average.pgr.value is not None for s in results.settings if s.role in ("wts", "selected"))
    listed = (
        (len(results.models) > 1 and "ceiling" in roles, "Accuracy by model size (figures 1 left, 15)", "`ceiling`"),
        ("wts-single" in roles, "WTS against one model a capability (figures 1 right, 16, 38)", "`wts-single`"),
        (
            any(sum(s.model == m for s in taught) > 1 for m in results.models),
            "Weak supervision of each size (figures 2, 17)",
            f"{_METHOD}.pairs holds no strong model with two weak ones",
        ),
        ("weakened" in roles, "Weakened capabilities (figures 3, 18, 19)", "`weakened`"),
        ("removed" in roles, "Removed capabilities (figures 4, 20 to 23)", "`removed`"),
        (("weak", "wts") in compared, "Agreement of weak and WTS labels (figures 5, 24 to 26)", "no labels to compare"),
        (("wts", "wts-2") in compared, "Agreement of WTS and WTS-2 (figures 6, 27 to 29)", "`wts-2`"),
        ("clean" in roles or "noise" in roles, "Clean labels and noise (figures 7 left, 30, 39)", "`noise`"),
        ({"wts-2", "mixed"} <= roles, "Weak, strong and mixed labels (figures 7 right, 31, 40)", "`wts-2`, `mixed`"),
        ("selected" in roles, "Accuracy of ours (figures 8, 13, 32)", "no selection was trained on"),
        (
            defined,
            "Performance gap recovered (figures 9, 14, 33)",
            "PGR needs `ceiling`, and a gap above the weak model",
        ),
        ("no-warm-up" in roles, "With and without warm-up (figure 10)", "`no-warm-up`"),
        (
            results.labels,
            "Right labels, and what is kept of them (figures 11, 12, 34 to 37)",
            "no labels were selected",
        ),
        ("random" in rules, "Random against reward selection (table 2)", "`random`"),
        ("in-context" in roles, "In-context learning (table 3)", "`in-context`"),
        (rules & {"confidence", "both"}, "Rules of selection side by side (not in the paper)", "`confidence`, `both`"),
        (results.rewards, "Quality of the reward model (not in the paper)", "no reward model was trained"),
    )
    return tuple(
        Omitted(analysis=analysis, reason=_reason(missing)) for found, analysis, missing in listed if not found
    )


def _reason(missing: str) -> str:
    """Name the field that would add what is missing: a word in quotes is an entry of its list."""
    if not missing.startswith("`"):
        return missing
    lists = {"ceiling": "baselines", "wts-single": "baselines", "in-context": "baselines"}
    lists |= dict.fromkeys(("confidence", "both", "random"), "selections")
    words = [word.strip("` ") for word in missing.split(",")]
    return "; ".join(f"`{_METHOD}.{lists.get(word, 'analyses')}` does not hold `{word}`" for word in words)
