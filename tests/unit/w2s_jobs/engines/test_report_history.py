"""What a report says of how its steps went."""

from w2s_jobs.contracts.artifact import StepResult
from w2s_jobs.contracts.report import StepUse
from w2s_jobs.engines.reporting.history import History

KEY = "0" * 64


def prepared(family: str, skipped: int, repeated: int) -> tuple[StepUse, StepResult]:
    result = StepResult.model_construct(
        spec={"params": {"task": {"family": family}}},
        metrics={"rows": 5, "skippedRecords": skipped, "repeatedRecords": repeated},
    )
    return StepUse(kind="prepare", key=KEY, uses=1), result


def test_records_that_were_set_aside_are_counted_for_each_dataset_once() -> None:
    history = History(
        (prepared("ecqa", 7, 0), prepared("ecqa", 7, 0), prepared("esnli", 0, 3), prepared("scan", 0, 0)), ()
    )
    assert history.set_aside() == [
        "ecqa: 7 records that cannot be read, 0 whose question repeats or is a test question",
        "esnli: 0 records that cannot be read, 3 whose question repeats or is a test question",
    ]


def test_where_nothing_was_set_aside_nothing_is_said() -> None:
    assert History((prepared("scan", 0, 0),), ()).set_aside() == []
