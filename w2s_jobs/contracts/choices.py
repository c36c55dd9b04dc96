"""`threshold.json` of the step `choose`: which threshold a rule chose, and why."""

from __future__ import annotations

from pydantic import Field

from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.settings import Percent, ThresholdRule

__all__ = ["CandidateThreshold", "ChosenThreshold"]


class CandidateThreshold(Contract):
    """What the rule expects of one threshold."""

    threshold: Percent
    kept: int = Field(ge=0)
    """kept questions"""
    estimated_correctness: float | None
    """estimatedCorrectness of the kept labels, 0..1; null when nothing is kept"""
    score: float
    """score: clean labels that the kept ones stand for (`core/threshold_rules.py`)"""


class ChosenThreshold(Contract):
    """`threshold.json`."""

    rule: ThresholdRule
    threshold: Percent
    """threshold with the highest score, the lower one of equals"""
    questions: int
    """questions that the votes are about"""
    calibration_questions: int | None = None
    """calibrationQuestions with gold that the rule read; null for a rule that reads none"""
    candidates: tuple[CandidateThreshold, ...]
    """candidates in ascending order"""
    notes: tuple[str, ...] = ()
    """notes: what weakens the estimate"""
