"""Made-up scores of every role: a capability is hard or easy, a model small or large, a label right or wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from tests.support.survey_design import QUESTIONS, MadeSurvey
from w2s_jobs.contracts.estimates import Accuracy, Bounds, Difference, PgrResult, Spread
from w2s_jobs.contracts.survey import SurveyRole
from w2s_jobs.contracts.survey_results import SurveyScore, SurveySetting

__all__ = ["make_settings"]

_EASE = (-0.9, -0.2, 0.6, 0.7, 0.3, 0.9, 0.2, 1.5)
_GAIN: dict[str, float] = {
    "weak": 0.0,
    "in-context": -0.35,
    "wts": 0.3,
    "wts-single": 0.27,
    "wts-2": 0.22,
    "mixed": 0.27,
    "clean": 0.55,
    "weakened": 0.25,
    "removed": 0.29,
    "no-warm-up": 0.36,
    "selected-reward": 0.5,
    "selected-confidence": 0.38,
    "selected-both": 0.47,
    "selected-random": 0.2,
    "ceiling": 0.75,
}


def make_settings(design: MadeSurvey, chance: np.random.Generator) -> Iterator[SurveySetting]:
    """Make the setting of every role that a design has."""
    for model in design.models[:-1]:
        yield _setting(design, chance, "weak", model)
    for weak, model in design.pairs:
        yield _setting(design, chance, "wts", model, weak)
        for role, variant in _variants(design):
            yield _setting(design, chance, role, model, weak, variant)
    for model in design.models[1:]:
        if "in-context" in design.roles:
            yield _setting(design, chance, "in-context", model)
        if design.ceiling:
            yield _setting(design, chance, "ceiling", model)


def _variants(design: MadeSurvey) -> Iterator[tuple[SurveyRole, str]]:
    for role in ("wts-single", "wts-2", "mixed", "clean", "no-warm-up"):
        if role in design.roles:
            yield role, ""  # type: ignore[misc]
    if "clean" in design.roles:
        yield from (("noise", str(percent)) for percent in (20, 40, 60, 80))
    for role in ("weakened", "removed"):
        if role in design.roles:
            yield role, design.names[0]  # type: ignore[misc]
            yield role, "+".join(design.names[-2:])  # type: ignore[misc]
    yield from (("selected", rule) for rule in design.rules)


def _setting(
    design: MadeSurvey,
    chance: np.random.Generator,
    role: SurveyRole,
    model: str,
    weak: str | None = None,
    variant: str = "",
) -> SurveySetting:
    kind = f"{role}-{variant}" if role in ("selected", "noise") else role
    taught = "" if weak is None else f"{weak}-"
    name = f"{role}-{variant}" if variant else role
    size = design.models.index(model) + (0.35 * design.models.index(weak) if weak else 0)
    gain = 0.55 - 0.0026 * int(variant) if role == "noise" else _GAIN[kind]
    scores = {
        capability: _score(
            design, _logistic(_EASE[i % 8] + 0.45 * size + gain + chance.normal(0, 0.04)), (role, weak, gain)
        )
        for i, capability in enumerate(design.names)
    }
    average = float(np.mean([score.accuracy.value for score in scores.values()]))
    return SurveySetting(
        name=f"{name}/{taught}{model}",
        role=role,
        variant=variant,
        model=model,
        weak=weak,
        seeds=(0,) if role == "in-context" else design.seeds,
        average=_score(design, average, (role, weak, gain), questions=QUESTIONS * len(scores)),
        capabilities={
            capability: score.model_copy(update={"partial_credit": score.accuracy.value + 0.2})
            if design.capabilities[design.names.index(capability)][1] == "mctaco"
            else score
            for capability, score in scores.items()
        },
        examples=None if role == "in-context" else 1000.0 * len(scores) * (0.62 if role == "selected" else 1),
        label_correctness={"ceiling": 1.0, "clean": 1.0, "in-context": None}.get(role, 0.55 + 0.3 * gain),
    )


def _score(
    design: MadeSurvey, value: float, who: tuple[str, str | None, float], questions: int = QUESTIONS
) -> SurveyScore:
    role, weak, gain = who
    half = 1.96 * math.sqrt(value * (1 - value) / questions)
    difference = None
    if weak is not None and role != "wts":
        shift = value - _logistic(math.log(value / (1 - value)) - (gain - _GAIN["wts"]))
        low, high = shift - half, shift + half
        difference = Difference(
            to="wts", value=shift, interval=Bounds(low=low, high=high), better=low > 0, worse=high < 0
        )
    recovered = PgrResult(value=None, reason="the ceiling of this model was not evaluated")
    if design.ceiling and role not in ("weak",):
        share = (gain + 0.4 * value) / (_GAIN["ceiling"] + 0.4 * value)
        recovered = PgrResult(value=share, interval=Bounds(low=share - 4 * half, high=share + 4 * half))
    return SurveyScore(
        accuracy=Accuracy(
            value=value, interval=Bounds(low=value - half, high=value + half), n=questions, correct=value * questions
        ),
        spread=Spread(sd=half / 4, min=value - half / 4, max=value + half / 4) if len(design.seeds) > 1 else None,
        pgr=recovered,
        difference=difference,
    )


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
