"""What the points of a survey learnt from: how many examples, and how many of them are right by gold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from w2s_jobs.contracts.survey import SurveyParams, SurveyPoint
from w2s_jobs.core.survey.evidence import SurveyEvidence
from w2s_jobs.core.survey.judge import CapabilityJudge

__all__ = ["Learnt", "what_was_learnt"]


@dataclass(frozen=True)
class Learnt:
    """Examples of one point, all capabilities together."""

    examples: int
    right: int


def what_was_learnt(
    params: SurveyParams, evidence: SurveyEvidence, judges: Mapping[str, CapabilityJudge]
) -> dict[str, Learnt]:
    """Count the examples by the point's id; a point whose examples are not known is left out."""
    found = {point.id: _of_point(point, evidence, judges) for point in params.points}
    return {point: learnt for point, learnt in found.items() if learnt is not None}


def _of_point(point: SurveyPoint, evidence: SurveyEvidence, judges: Mapping[str, CapabilityJudge]) -> Learnt | None:
    if point.role == "ceiling":
        # It learnt the gold itself.
        examples = sum(len(judge.row_ids) for judge in judges.values())
        return Learnt(examples, examples)
    if not point.learnt or point.role == "mixed":
        # A mixed training learnt from weak and strong labels, of which `learnt` can name one a capability.
        return None
    kept = {name: evidence.kept[key] for name, key in point.learnt.items()}
    return Learnt(
        examples=sum(len(labels) for labels in kept.values()),
        right=sum(judges[name].count_right(labels) for name, labels in kept.items()),
    )
