"""Results of a survey made up whole: plausible numbers of every role, for tests of pages and tables, and for looking.

A capability is hard or easy, a model small or large; labels that are right more often make a better model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from w2s_jobs.contracts.analyses import LossEnds
from w2s_jobs.contracts.estimates import Accuracy, Bounds, Difference, PgrResult, Spread
from w2s_jobs.contracts.results import Verdict
from w2s_jobs.contracts.survey import SurveyRole
from w2s_jobs.contracts.survey_results import (
    AGREEMENT_CLASSES,
    Agreement,
    AgreementCounts,
    CalibrationBin,
    CapabilityFigures,
    KeptLabels,
    LabelQuality,
    RewardQuality,
    RocPoint,
    SurveyResults,
    SurveyScore,
    SurveySetting,
)

__all__ = ["EIGHT", "MadeSurvey", "make_losses", "make_results"]

EIGHT = {
    "gsm8k": "gsm8k",
    "mctaco": "mctaco",
    "scan": "scan",
    "creak": "creak",
    "ecqa": "ecqa",
    "esnli": "esnli",
    "openbookqa": "openbookqa",
    "sciq": "sciq",
}
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
_QUESTIONS = 400


@dataclass(frozen=True)
class MadeSurvey:
    """What differs from one survey to another."""

    models: tuple[str, ...] = ("0.5b", "1.8b", "4b")
    capabilities: tuple[tuple[str, str], ...] = tuple(EIGHT.items())
    """capabilities by name, with their families"""
    seeds: tuple[int, ...] = (0, 1, 2)
    roles: tuple[str, ...] = (
        "in-context",
        "wts-single",
        "wts-2",
        "mixed",
        "clean",
        "weakened",
        "removed",
        "no-warm-up",
    )
    """roles beside weak, wts, selected and ceiling"""
    rules: tuple[str, ...] = ("reward", "confidence", "both", "random")
    every_pair: bool = True
    labels: bool = True
    ceiling: bool = True

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Weak and strong, each size teaching the next, or every larger one."""
        neighbours = list(zip(self.models, self.models[1:], strict=False))
        return list(combinations(self.models, 2)) if self.every_pair else neighbours

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the capabilities."""
        return tuple(name for name, _ in self.capabilities)


def make_results(design: MadeSurvey) -> SurveyResults:
    """Make the results of a design, the same every time."""
    chance = np.random.default_rng(5)
    settings = tuple(_settings(design, chance))
    return SurveyResults(
        title="made-up survey",
        description="Every number on this page is made up, to look at the page.",
        models=design.models,
        capabilities=design.names,
        families=dict(design.capabilities),
        test_questions=dict.fromkeys(design.names, _QUESTIONS),
        unlabelled_questions=dict.fromkeys(design.names, 1000),
        confidence_level=0.95,
        resamples=2000,
        seed=0,
        verdict=Verdict(
            headline="Selection by a reward model helped: 3.1 points above WTS on average",
            sentences=("Averaged over capabilities, selected data beat all weak data in every pair of models.",),
        ),
        settings=settings,
        labels=tuple(_labels(design, chance)) if design.labels else (),
        agreements=tuple(_agreements(design, chance)) if design.labels else (),
        rewards=tuple(_rewards(design)) if design.labels else (),
        losses=tuple(
            LossEnds(name=f"{s.name}/seed{seed}", train=f"{i:02}{seed}", steps=120, first=2.1, last=0.4)
            for i, s in enumerate(settings)
            for seed in s.seeds
            if s.role != "in-context"
        ),
        notes=("The test split of scan has 400 questions only.",),
    )


def make_losses(results: SurveyResults) -> dict[str, list[float]]:
    """Make a curve for every training."""
    return {loss.train: [0.4 + 1.7 * math.exp(-step / 25) for step in range(loss.steps)] for loss in results.losses}


def _settings(design: MadeSurvey, chance: np.random.Generator) -> Iterator[SurveySetting]:
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
        average=_score(design, average, (role, weak, gain), questions=_QUESTIONS * len(scores)),
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
    design: MadeSurvey, value: float, who: tuple[str, str | None, float], questions: int = _QUESTIONS
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


def _counts(chance: np.random.Generator, total: int) -> AgreementCounts:
    drawn = chance.multinomial(total, chance.dirichlet((12, 5, 3, 2, 3)))
    return AgreementCounts(**dict(zip(AGREEMENT_CLASSES, map(int, drawn), strict=True)))


def _sum(counts: Sequence[AgreementCounts]) -> AgreementCounts:
    return AgreementCounts(**{name: sum(getattr(c, name) for c in counts) for name in AGREEMENT_CLASSES})


def _agreements(design: MadeSurvey, chance: np.random.Generator) -> Iterator[Agreement]:
    answers = [("weak", "wts")] + ([("wts", "wts-2")] if "wts-2" in design.roles else [])
    for first, second in answers:
        for on, total in (("unlabelled", 1000), ("test", _QUESTIONS)):
            for weak, model in design.pairs:
                each = {name: _counts(chance, total * len(design.seeds)) for name in design.names}
                yield Agreement(
                    first=first,  # type: ignore[arg-type]
                    second=second,  # type: ignore[arg-type]
                    on=on,  # type: ignore[arg-type]
                    weak=weak,
                    model=model,
                    seeds=design.seeds,
                    together=_sum(list(each.values())),
                    capabilities=each,
                )


def _labels(design: MadeSurvey, chance: np.random.Generator) -> Iterator[LabelQuality]:
    for weak, model in design.pairs:
        each = {name: _figures(design, chance) for name in design.names}
        yield LabelQuality(
            weak=weak, model=model, seeds=design.seeds, average=_average(list(each.values())), capabilities=each
        )


def _figures(design: MadeSurvey, chance: np.random.Generator) -> CapabilityFigures:
    agreement = _counts(chance, 1000 * len(design.seeds))
    total = 1000 * len(design.seeds)
    kept = AgreementCounts(
        both_right=int(chance.uniform(0.85, 0.97) * agreement.both_right),
        both_wrong_same=int(0.7 * agreement.both_wrong_same),
        second_right=int(chance.uniform(0.05, 0.3) * agreement.second_right),
        first_right=int(0.6 * agreement.first_right),
        both_wrong_different=int(0.2 * agreement.both_wrong_different),
    )
    size = sum(getattr(kept, name) for name in AGREEMENT_CLASSES)
    right = (kept.both_right + kept.first_right) / size
    labels = KeptLabels(kept=size / len(design.seeds), retention=size / total, correctness=right, by_class=kept)
    return CapabilityFigures(
        offered=1000,
        weak=(agreement.both_right + agreement.first_right) / total,
        strong=(agreement.both_right + agreement.second_right) / total,
        agreement=agreement,
        selected=dict.fromkeys(design.rules, labels),  # type: ignore[arg-type]
    )


def _average(each: Sequence[CapabilityFigures]) -> CapabilityFigures:
    def mean(values: Sequence[float]) -> float:
        return sum(values) / len(values)

    selected = {
        rule: KeptLabels(
            kept=sum(f.selected[rule].kept for f in each),
            retention=mean([f.selected[rule].retention for f in each]),
            correctness=mean([f.selected[rule].correctness or 0 for f in each]),
            by_class=_sum([f.selected[rule].by_class for f in each]),
        )
        for rule in each[0].selected
    }
    return CapabilityFigures(
        offered=sum(f.offered for f in each),
        weak=mean([f.weak for f in each]),
        strong=mean([f.strong for f in each]),
        agreement=_sum([f.agreement for f in each]),
        selected=selected,
    )


def _rewards(design: MadeSurvey) -> Iterator[RewardQuality]:
    for weak, model in design.pairs:
        for i, capability in enumerate((None, *design.names)):
            power = 1.6 + 0.3 * (i % 4) + 0.5 * design.models.index(model)
            cutoffs = [k / 20 for k in range(21)]
            yield RewardQuality(
                weak=weak,
                model=model,
                capability=capability,
                labels=3000,
                accuracy=0.7 + 0.02 * (i % 4),
                auc=None if capability == design.names[-1] else 1 - 1 / (1 + power),
                calibration=tuple(
                    CalibrationBin(
                        low=k / 10,
                        high=(k + 1) / 10,
                        labels=100 + 40 * k,
                        mean_reward=(k + 0.5) / 10,
                        right=min(1.0, 0.2 + 0.1 * design.models.index(weak) + 0.075 * k),
                    )
                    for k in range(10)
                    if k != 4
                ),
                roc=tuple(
                    RocPoint(cutoff=c, true_positive_rate=(1 - c) ** (1 / power), false_positive_rate=(1 - c) ** power)
                    for c in cutoffs
                ),
            )
