"""Steps of every kind, made up to try to carry gold where it must not come."""

from __future__ import annotations

from controller.plan.gold_guard import refuse_gold_leaks
from controller.plan.graph import Plan, Point, Step
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.keys import step_key
from w2s_jobs.contracts.report import ReportParams
from w2s_jobs.contracts.settings import (
    DatasetSource,
    HubLocation,
    ModelSource,
    PromptTemplate,
    SamplingSettings,
    TaskSettings,
    TrainingSettings,
)
from w2s_jobs.contracts.step_params import (
    ChooseParams,
    CleanParams,
    EvaluateParams,
    GradeParams,
    PartitionParams,
    PrepareParams,
    SampleParams,
    ScoreParams,
    SelectParams,
    Splits,
    TrainParams,
)
from w2s_jobs.contracts.survey import SurveyParams

__all__ = [
    "CALIBRATION",
    "CALIBRATION_FILTER",
    "CALIBRATION_GOLD",
    "CALIBRATION_SAMPLES",
    "CALIBRATION_VOTES",
    "CEILING",
    "CEILING_SAMPLES",
    "CEILING_SCORE",
    "CHOICE",
    "CLEAN",
    "CLEAN_MODEL",
    "CLEAN_SAMPLES",
    "CLEAN_SCORE",
    "EVERY_DOOR",
    "EXTRA",
    "EXTRA_GOLD",
    "GOLD",
    "LABELLED",
    "LABELS",
    "QUESTIONS",
    "TEST",
    "TEST_GOLD",
    "VOTES",
    "a_step",
    "check",
    "data",
]

TASK = TaskSettings(family="gsm8k")
HUB = HubLocation(name="org/some", revision="0123456")
MODEL = ModelSource(hub=HUB)
DIRECT = PromptTemplate(name="direct")
PARAMS = {
    "sample": SampleParams(engine="vllm", template=DIRECT, sampling=SamplingSettings(), seed=0),
    "grade": GradeParams(task=TASK),
    "choose": ChooseParams(task=TASK, rule="calibrated"),
    "select": SelectParams(task=TASK, threshold=50),
    "train": TrainParams(template=DIRECT, training=TrainingSettings(), seed=0),
    "evaluate": EvaluateParams(task=TASK),
    "partition": PartitionParams(task=TASK),
    "score": ScoreParams(template=DIRECT, max_seq_len=64),
    "clean": CleanParams(task=TASK),
    "report": ReportParams(title="x", task=TASK, points=()),
    "survey": SurveyParams(title="x", models=("s", "l"), capabilities=(), points=()),
}
ROLES = {  # every role in which a kind of step reads something, and the file that lies there
    "sample": {"questions": "questions.parquet", "model": "model/", "shots": "examples.parquet"},
    "grade": {"samples": "samples/", "questions": "questions.parquet"},
    "choose": {
        "votes": "votes.parquet",
        "calibration": "votes.parquet",
        "discarded": "discarded.parquet",
        "gold": "examples.parquet",
    },
    "select": {
        "votes": "votes.parquet",
        "questions": "questions.parquet",
        "threshold": "threshold.json",
        "scores": "scores/",
        "size": "kept.parquet",
    },
    "partition": {"weak": "votes.parquet", "strong": "votes.parquet", "questions": "questions.parquet"},
    "score": {"votes": "votes.parquet", "questions": "questions.parquet", "model": "model/"},
    "clean": {"votes": "votes.parquet", "questions": "questions.parquet", "gold": "examples.parquet"},
    "train": {"examples": "examples.parquet", "pairs": "pairs.parquet", "model": "model/"},
    "evaluate": {"samples": "samples/", "gold": "examples.parquet", "questions": "questions.parquet"},
}
EVERY_DOOR = [(kind, role) for kind, roles in ROLES.items() for role in roles]


def a_step(kind: str, role: str = "round", **inputs: Step | list[Step]) -> Step:
    """Make a step that reads these steps, by the roles of its kind."""
    given_inputs = {
        name: tuple(
            Input(kind=one.kind, key=one.key, file=ROLES.get(kind, {}).get(name, "x"))
            for one in (steps if isinstance(steps, list) else [steps])
        )
        for name, steps in inputs.items()
    }
    key = step_key(kind, PARAMS[kind], given_inputs)
    return Step(kind=kind, key=key, name=f"{kind} as {role}", role=role, params=PARAMS[kind], inputs=given_inputs)


def data(split: str, part: str, seed: int = 0, on_bad_record: str = "stop") -> Step:
    """Make a step that prepares data."""
    params = PrepareParams(
        task=TASK,
        source=DatasetSource(hub=HUB),
        splits=Splits(labelled=100, calibration=80, unlabelled=200, test=50, extra_test=40, seed=seed),
        split=split,
        part=part,
        on_bad_record=on_bad_record,
    )
    key = step_key("prepare", params, {})
    return Step(kind="prepare", key=key, name=f"prepare {split} {part}", role="data", params=params)


QUESTIONS, TEST = data("unlabelled", "questions"), data("test", "questions")
GOLD, TEST_GOLD, LABELLED = data("unlabelled", "gold"), data("test", "gold"), data("labelled", "gold")
EXTRA, EXTRA_GOLD = data("extraTest", "questions"), data("extraTest", "gold")
CALIBRATION, CALIBRATION_GOLD = data("calibration", "questions"), data("calibration", "gold")
LABELS = a_step("sample", questions=QUESTIONS)
VOTES = a_step("grade", samples=LABELS)
CLEAN = a_step("clean", "clean", votes=VOTES, questions=QUESTIONS, gold=GOLD)
CLEAN_MODEL = a_step("train", "clean", examples=CLEAN)
CLEAN_SAMPLES = a_step("sample", "strong", model=CLEAN_MODEL, questions=TEST)
CLEAN_SCORE = a_step("evaluate", "clean", samples=CLEAN_SAMPLES, gold=TEST_GOLD, questions=TEST)
CALIBRATION_SAMPLES = a_step("sample", questions=CALIBRATION)
CALIBRATION_VOTES = a_step("grade", samples=CALIBRATION_SAMPLES)
CALIBRATION_FILTER = a_step("select", votes=CALIBRATION_VOTES, questions=CALIBRATION)
CHOICE = a_step(
    "choose",
    votes=VOTES,
    calibration=CALIBRATION_VOTES,
    discarded=CALIBRATION_FILTER,
    gold=CALIBRATION_GOLD,
)
CEILING = a_step("train", "ceiling", examples=GOLD)
CEILING_SAMPLES = a_step("sample", "strong", model=CEILING, questions=TEST)
CEILING_SCORE = a_step("evaluate", "ceiling", samples=CEILING_SAMPLES, gold=TEST_GOLD, questions=TEST)


def check(*steps: Step, points: tuple[Point, ...] = ()) -> None:
    """Let the guard look at these steps and all that is defined above."""
    base = (
        *(QUESTIONS, TEST, EXTRA, GOLD, TEST_GOLD, EXTRA_GOLD, LABELLED, CALIBRATION, CALIBRATION_GOLD, LABELS),
        *(CALIBRATION_SAMPLES, CALIBRATION_VOTES, CALIBRATION_FILTER, VOTES, CHOICE),
        *(CEILING, CEILING_SAMPLES, CEILING_SCORE, CLEAN, CLEAN_MODEL, CLEAN_SAMPLES, CLEAN_SCORE),
    )
    plan = {step.key: step for step in (*base, *steps)}
    refuse_gold_leaks(Plan("x", tuple(plan.values()), points, next(iter(plan))))
