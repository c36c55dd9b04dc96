"""Five ways in which two answers to one question can stand to each other and to gold (paper `reward`, fig. 5 and 6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from w2s_jobs.contracts.survey_results import AGREEMENT_CLASSES, AgreementCounts

__all__ = ["JudgedAnswer", "agreement_class", "as_counts", "sum_counts"]

Equal = Callable[[str, str], bool]


@dataclass(frozen=True)
class JudgedAnswer:
    """An answer, and whether it is right. A missing answer (None) is wrong."""

    answer: str | None
    right: bool


def agreement_class(first: JudgedAnswer, second: JudgedAnswer, equal: Equal) -> str:
    """Name the one class of AGREEMENT_CLASSES that a pair of answers belongs to.

    Right answers are never compared with one another: both mean what gold means. `equal` is asked of two wrong ones,
    which are there both; an answer that is missing equals nothing, not even another missing one.
    """
    if first.right and second.right:
        return "both_right"
    if first.right:
        return "first_right"
    if second.right:
        return "second_right"
    if first.answer is None or second.answer is None:
        return "both_wrong_different"
    same = first.answer == second.answer or equal(first.answer, second.answer)
    return "both_wrong_same" if same else "both_wrong_different"


def as_counts(classes: Iterable[str]) -> AgreementCounts:
    """Count how many questions fall into each class."""
    found = Counter(classes)
    return AgreementCounts(**{name: found[name] for name in AGREEMENT_CLASSES})


def sum_counts(counts: Iterable[AgreementCounts]) -> AgreementCounts:
    """Add counts up, class by class."""
    listed = list(counts)
    return AgreementCounts(**{name: sum(getattr(each, name) for each in listed) for name in AGREEMENT_CLASSES})
