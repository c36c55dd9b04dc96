"""Made-up labels: where models agree, what each rule keeps, and what reward models make of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tests.support.survey_design import QUESTIONS, MadeSurvey
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
)

__all__ = ["make_agreements", "make_labels", "make_rewards"]


def _counts(chance: np.random.Generator, total: int) -> AgreementCounts:
    drawn = chance.multinomial(total, chance.dirichlet((12, 5, 3, 2, 3)))
    return AgreementCounts(**dict(zip(AGREEMENT_CLASSES, map(int, drawn), strict=True)))


def _sum(counts: Sequence[AgreementCounts]) -> AgreementCounts:
    return AgreementCounts(**{name: sum(getattr(c, name) for c in counts) for name in AGREEMENT_CLASSES})


def make_agreements(design: MadeSurvey, chance: np.random.Generator) -> Iterator[Agreement]:
    """Make what two models say of the same questions."""
    answers = [("weak", "wts")] + ([("wts", "wts-2")] if "wts-2" in design.roles else [])
    for first, second in answers:
        for on, total in (("unlabelled", 1000), ("test", QUESTIONS)):
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


def make_labels(design: MadeSurvey, chance: np.random.Generator) -> Iterator[LabelQuality]:
    """Make how right the labels are, and those that each rule keeps."""
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


def make_rewards(design: MadeSurvey) -> Iterator[RewardQuality]:
    """Make how well each reward model tells right from wrong."""
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
