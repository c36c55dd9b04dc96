"""Numbers and names as the report writes them. Fractions come in, percent and percentage points come out."""

from __future__ import annotations

from collections.abc import Sequence

from w2s_jobs.contracts.estimates import Bounds, Difference
from w2s_jobs.contracts.results import SettingResult
from w2s_jobs.contracts.settings import Threshold

__all__ = [
    "branch_label",
    "count_word",
    "difference_words",
    "interval_words",
    "percent",
    "pgr_range",
    "points",
    "setting_label",
    "threshold_word",
    "thresholds_label",
]

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_COUNTS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_LABELS = {
    "weak": "Weak model",
    "ceiling": "Ceiling",
    "conventional": "Conventional",
    "unfiltered": "Unfiltered",
    "direct": "Direct answers",
    "direct-weak": "Direct answers, weak model",
    "direct-ceiling": "Direct answers, ceiling",
}


def percent(value: float, digits: int = 1) -> str:
    """Write a share: 0.612 as `61.2%`, with a true minus sign."""
    return f"{_rounded(value, digits):.{digits}f}%".replace("-", "\N{MINUS SIGN}")


def points(value: float) -> str:
    """Write a difference of shares in percentage points: 0.069 as `+6.9`."""
    return f"{_rounded(value, 1):+.1f}".replace("-", "\N{MINUS SIGN}")


def interval_words(bounds: Bounds) -> str:
    """Write the interval of a difference: `+3.1 to +10.2`."""
    return f"{points(bounds.low)} to {points(bounds.high)}"


def difference_words(difference: Difference, allowing: str = "") -> str:
    """Judge a difference: `+3.1 points (+0.4 to +5.8): an improvement`; `allowing` says for what its interval does."""
    if difference.better:
        judgement = "an improvement"
    elif difference.worse:
        judgement = "a loss"
    else:
        judgement = "not distinguishable from zero"
    interval = difference.interval
    if interval is None:
        return f"{points(difference.value)} points, {judgement}"
    return f"{points(difference.value)} points ({interval_words(interval)}{allowing}): {judgement}"


def pgr_range(bounds: Bounds) -> str:
    """Write the interval of a PGR: `22% to 38%`."""
    return f"{percent(bounds.low, 0)} to {percent(bounds.high, 0)}"


def thresholds_label(thresholds: Sequence[Threshold]) -> str:
    """Name a branch: `t₁ = 70%, t₂ = agreement`, each in one piece where lines break."""
    named = (f"t{str(i).translate(_SUBSCRIPTS)} = {threshold_word(t)}" for i, t in enumerate(thresholds, start=1))
    return ", ".join(name.replace(" ", "\N{NO-BREAK SPACE}") for name in named)


def threshold_word(threshold: Threshold) -> str:
    """Write a threshold: `70%`, or the rule that chose it."""
    return threshold if isinstance(threshold, str) else f"{threshold}%"


def setting_label(setting: SettingResult) -> str:
    """Name a setting for a reader: `Round 2, t₁ = 70%, t₂ = 60%`."""
    return branch_label(setting.role, setting.thresholds)


def branch_label(role: str, thresholds: Sequence[Threshold]) -> str:
    """Name what has this role and these thresholds for a reader."""
    name = f"Round {len(thresholds)}" if role == "round" else _LABELS.get(role, role)
    return f"{name}, {thresholds_label(thresholds)}" if thresholds else name


def count_word(number: int) -> str:
    """Write small numbers as words."""
    return _COUNTS[number] if number < len(_COUNTS) else f"{number:,}"


def _rounded(value: float, digits: int) -> float:
    # Adding zero turns a rounded -0.0 into 0.0: nothing is ever `-0.0%`.
    return round(100 * value, digits) + 0.0
