"""Surveys of made-up experiments by name, and readers of their files."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.support.survey_rows import write_survey_store
from tests.support.survey_store import SurveyDesign
from w2s_jobs.context import StepContext
from w2s_jobs.contracts.steps import StepSpec
from w2s_jobs.contracts.survey import SurveyParams
from w2s_jobs.contracts.survey_results import SurveyResults
from w2s_jobs.steps import survey
from w2s_jobs.store.folder import FolderStore

_EXTRAS = (
    "in-context",
    "wts-single",
    "wts-2",
    "mixed",
    "clean",
    "noise",
    "weakened",
    "removed",
    "no-warm-up",
)
SURVEYS = {
    "two pairs": SurveyDesign(test=80, unlabelled=100),
    "one capability": SurveyDesign(models=("0.5b", "1.8b"), capabilities={"scan": "scan"}, test=80, unlabelled=100),
    "no ceiling": SurveyDesign(models=("0.5b", "1.8b"), baselines=("weak",), test=60, unlabelled=80),
    "baselines only": SurveyDesign(models=("0.5b", "1.8b"), selections=(), test=60, unlabelled=80),
    "no conventional": SurveyDesign(models=("0.5b", "1.8b"), conventional=False, test=60, unlabelled=80),
    "no gap": SurveyDesign(models=("0.5b", "1.8b"), ceiling_gain=-0.1, test=60, unlabelled=80),
    "blind rewards": SurveyDesign(models=("0.5b", "1.8b"), sharpness=0.0, test=60, unlabelled=80),
    "everything": SurveyDesign(
        capabilities={"gsm8k": "gsm8k", "creak": "creak", "mctaco": "mctaco"},
        seeds=(0, 1),
        selections=("reward", "confidence", "both", "random"),
        extras=_EXTRAS,
        test=100,
        unlabelled=120,
        title="everything",
    ),
}
"""Shapes of experiments that a survey must bear."""


def write_survey(root: Path, name: str) -> StepSpec:
    """Fill a store with the survey of this name and return its spec."""
    return write_survey_store(root, SURVEYS[name])


def run_survey(root: Path, spec: StepSpec) -> dict[str, Path]:
    """Run the step on a store and return its files."""
    (root / "work").mkdir(parents=True, exist_ok=True)
    context = StepContext(spec, FolderStore(root / "store"), threading.Event())
    return dict(survey.run(context, SurveyParams.model_validate(spec.params)).files)


def survey_of(files: dict[str, Path]) -> SurveyResults:
    """Read results.json."""
    return SurveyResults.model_validate_json(files["results.json"].read_text())
