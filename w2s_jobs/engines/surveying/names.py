"""What the page calls a setting and a pair of models, and by which colour and mark a reader finds it again."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from w2s_jobs.contracts.survey_results import SurveySetting
from w2s_jobs.engines.reporting.palette import ROLE, sequence

__all__ = [
    "AVERAGE",
    "Look",
    "folded",
    "look",
    "model_colours",
    "pair_label",
    "setting_label",
    "touched",
    "way_label",
]

AVERAGE = "average"
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
    "in-context": Look("unfiltered", "P"),
    "wts": Look("conventional", "s"),
    "wts-single": Look("confident", "D"),
    "wts-2": Look("unfiltered", "D"),
    "mixed": Look("confident", "X"),
    "clean": Look("ceiling", "D"),
    "noise": Look("direct", "D"),
    "weakened": Look("direct", "X"),
    "removed": Look("direct", "X"),
    "no-warm-up": Look("direct", "D"),
    "selected-reward": Look("round", "o"),
    "selected-confidence": Look("confident", "D"),
    "selected-both": Look("unfiltered", "X"),
    "selected-random": Look("direct", "P"),
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
    return f"{weak}\N{NO-BREAK SPACE}→ {model}"


def look(setting: SurveySetting) -> Look:
    """Return how a setting is drawn."""
    key = f"selected-{setting.variant}" if setting.role == "selected" else setting.role
    return _LOOKS.get(key, Look("direct", "D"))


def touched(setting: SurveySetting, capability: str) -> bool:
    """Tell whether this capability's weak labels were weakened or removed."""
    return setting.role in ("weakened", "removed") and capability in _parts(setting.variant)


def model_colours(models: Sequence[str]) -> dict[str, str]:
    """Give each model of the chain a colour, the more contrast the larger."""
    return {models[i]: colour for i, colour in sequence(range(len(models))).items()}


def folded(name: str, width: int = 18, lines: int = 2) -> str:
    """Break a long name into lines for a figure, and cut what is left over."""
    parts = textwrap.wrap(re.sub(r"([-_/])", "\\1\N{ZERO WIDTH SPACE}", name), width, break_on_hyphens=True) or [name]
    shown = [part.replace("\N{ZERO WIDTH SPACE}", "") for part in parts[:lines]]
    return "\n".join(shown) + ("…" if len(parts) > lines else "")


def _parts(variant: str) -> list[str]:
    return [part for part in re.split(r"[,+\s]+", variant) if part]
