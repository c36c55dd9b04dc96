"""Results of a survey made up whole: plausible numbers of every role, for tests of pages and tables, and for looking.

A capability is hard or easy, a model small or large; labels that are right more often make a better model.
"""

from __future__ import annotations

import math

import numpy as np

from tests.support.survey_design import QUESTIONS, MadeSurvey
from tests.support.survey_labels_made import make_agreements, make_labels, make_rewards
from tests.support.survey_scores_made import make_settings
from w2s_jobs.contracts.analyses import LossEnds
from w2s_jobs.contracts.results import Verdict
from w2s_jobs.contracts.survey_results import SurveyResults

__all__ = ["make_losses", "make_results"]


def make_results(design: MadeSurvey) -> SurveyResults:
    """Make the results of a design, the same every time."""
    chance = np.random.default_rng(5)
    settings = tuple(make_settings(design, chance))
    return SurveyResults(
        title="made-up survey",
        description="Every number on this page is made up, to look at the page.",
        models=design.models,
        capabilities=design.names,
        families=dict(design.capabilities),
        test_questions=dict.fromkeys(design.names, QUESTIONS),
        unlabelled_questions=dict.fromkeys(design.names, 1000),
        confidence_level=0.95,
        resamples=2000,
        seed=0,
        verdict=Verdict(
            headline="Selection by a reward model helped: 3.1 points above WTS on average",
            sentences=("Averaged over capabilities, selected data beat all weak data in every pair of models.",),
        ),
        settings=settings,
        labels=tuple(make_labels(design, chance)) if design.labels else (),
        agreements=tuple(make_agreements(design, chance)) if design.labels else (),
        rewards=tuple(make_rewards(design)) if design.labels else (),
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
