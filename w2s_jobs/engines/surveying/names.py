"""What the page calls a setting and a pair of models, and by which colour and mark a reader finds it again."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from w2s_jobs.contracts.survey_results import SurveySetting
from w2s_jobs.engines.reporting.palette import ROLE, categories

__all__ = [
    "AVERAGE",
    "EACH_PAIR",
    "MARKERS",
    "SHOWN_PAIRS",
    "Look",
    "folded",
    "look",
    "model_looks",
    "pair_label",
    "pair_looks",
    "setting_label",
    "touched",
    "way_label",
]

AVERAGE = "average"
EACH_PAIR = "Each capability, for each pair of models"
SHOWN_PAIRS = 4
"""Of more pairs of models, the panels of each are folded away."""
MARKERS = "osD^v"
"""Marks of what has an order of its own: models, pairs of models, variants."""
_WAYS = {
    "weak": "Weak",
    "ceiling": "Ceiling",
    "in-context": "In context",
    "wts": "WTS",
    "wts-single": "WTS-S",
    "wts-2": "WTS-2",
    "mixed": "Weak and strong labels",
    "clean": "Clean labels",
    "no-warm-up": "Ours without warm-up",
}
_RULES = {
    "reward": "Ours",
    "confidence": "By confidence",
    "both": "Reward and confidence",
    "random": "Random",
}


@dataclass(frozen=True)
class Look:
    """How a way of making a model is drawn, the same in every figure."""

    tone: str
    """tone: name of its colour, which is the class of its dot in tables"""
    marker: str

    @property
    def colour(self) -> str:
        """The stand-in that the page turns into a CSS variable."""
        return ROLE[self.tone]


_LOOKS = {
    "weak": Look("weak", "v"),
    "ceiling": Look("ceiling", "^"),
    "in-context": Look("unfiltered", "D"),
    "wts": Look("conventional", "s"),
    "wts-single": Look("confident", "D"),
    "wts-2": Look("unfiltered", "^"),
    "mixed": Look("confident", "D"),
    "clean": Look("ceiling", "D"),
    "noise": Look("direct", "D"),
    "weakened": Look("direct", "D"),
    "removed": Look("direct", "D"),
    "no-warm-up": Look("direct", "D"),
    "selected-reward": Look("round", "o"),
    "selected-confidence": Look("confident", "D"),
    "selected-both": Look("unfiltered", "^"),
    "selected-random": Look("direct", "v"),
}


def way_label(role: str, variant: str = "") -> str:
    """Name a way of making a model: `Ours`, `Noise 40%`, `Without gsm8k`."""
    if role == "selected":
        return _RULES.get(variant, f"Selected, {variant}")
    if role == "noise":
        return f"Noise {variant}%"
    if role in ("weakened", "removed"):
        names = ", ".join(_parts(variant))
        return f"Weakened: {names}" if role == "weakened" else f"Without {names}"
    return _WAYS.get(role, role) + (f", {variant}" if variant and variant != "reward" else "")


def setting_label(setting: SurveySetting) -> str:
    """Name a setting: `Ours, 0.5b → 1.8b`."""
    models = setting.model if setting.weak is None else pair_label(setting.weak, setting.model)
    return f"{way_label(setting.role, setting.variant)}, {models}"


def pair_label(weak: str, model: str) -> str:
    """Name a weak model and the strong one that it teaches."""
    space = "\N{NO-BREAK SPACE}" if len(weak) + len(model) < 14 else " "
    return f"{weak}\N{NO-BREAK SPACE}→{space}{model}"


def look(setting: SurveySetting) -> Look:
    """Return how a setting is drawn."""
    key = f"selected-{setting.variant}" if setting.role == "selected" else setting.role
    return _LOOKS.get(key, Look("direct", "D"))


def touched(setting: SurveySetting, capability: str) -> bool:
    """Tell whether this capability's weak labels were weakened or removed."""
    return setting.role in ("weakened", "removed") and capability in _parts(setting.variant)


def model_looks(models: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Give each model of the chain a colour and a mark, so that neither alone must tell them apart."""
    colours = categories(models)
    return {model: (colours[model], MARKERS[i % len(MARKERS)]) for i, model in enumerate(models)}


def pair_looks(pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
    """Give each pair of models a colour and a mark."""
    colours = categories([pair_label(*pair) for pair in pairs])
    return {pair: (colours[pair_label(*pair)], MARKERS[i % len(MARKERS)]) for i, pair in enumerate(pairs)}


def folded(name: str, width: int = 18, lines: int = 2) -> str:
    """Break a long name into lines for a figure, and cut what is left over."""
    parts = textwrap.wrap(re.sub(r"([-_/])", "\\1\N{ZERO WIDTH SPACE}", name), width, break_on_hyphens=True) or [name]
    shown = [part.replace("\N{ZERO WIDTH SPACE}", "") for part in parts[:lines]]
    return "\n".join(shown) + ("…" if len(parts) > lines else "")


def _parts(variant: str) -> list[str]:
    return [part for part in re.split(r"[,+\s]+", variant) if part]
