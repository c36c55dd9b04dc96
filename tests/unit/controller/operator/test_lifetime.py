"""When an experiment's time is over."""

from __future__ import annotations

from typing import Any

import pytest

from controller.operator.lifetime import is_outlived, read_time, seconds_to_live

NOW = read_time("2026-11-25T16:00:00Z")


def experiment(ttl: int | None, finished: str | None, observed: int = 1, generation: int = 1) -> dict[str, Any]:
    spec = {} if ttl is None else {"ttlSecondsAfterFinished": ttl}
    status = {"observedGeneration": observed} | ({} if finished is None else {"finished": finished})
    return {"metadata": {"generation": generation}, "spec": spec, "status": status}


def test_an_ended_experiment_lives_for_its_time() -> None:
    assert seconds_to_live(experiment(600, "2026-11-25T15:55:00Z"), NOW) == 300
    assert not is_outlived(experiment(600, "2026-11-25T15:55:00Z"), NOW)
    assert is_outlived(experiment(600, "2026-11-25T15:50:00Z"), NOW)


@pytest.mark.parametrize(
    ("ttl", "finished"), [(None, "2026-11-25T15:00:00Z"), (0, None)], ids=["no time to live", "not ended"]
)
def test_without_an_end_or_a_time_to_live_it_stays(ttl: int | None, finished: str | None) -> None:
    assert not is_outlived(experiment(ttl, finished), NOW)


def test_an_edit_after_the_end_lets_it_live_until_the_edit_was_looked_at() -> None:
    assert not is_outlived(experiment(0, "2026-11-25T15:00:00Z", observed=1, generation=2), NOW)


def test_an_experiment_without_a_status_stays() -> None:
    assert not is_outlived({"metadata": {"generation": 1}, "spec": {"ttlSecondsAfterFinished": 0}}, NOW)
