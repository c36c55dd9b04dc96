"""Real scoring with a tiny reward model: in chunks and shards, killed, resumed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.steps import Bench
from tests.support.training import TrainingBench, verdicts
from w2s_jobs.contracts.artifact import FileEntry, Input, StepResult
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.settings import TrainingSettings
from w2s_jobs.contracts.step_params import RewardObjective
from w2s_jobs.contracts.steps import StepSpec

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]

PARAMS = {"template": {"name": "direct"}, "maxSeqLen": 128}
LABELS = verdicts(50, seed=7)
BLANK = {3: None, 20: "", 31: " \n"}
"""labels that have no text, by their place"""


@pytest.fixture(scope="module")
def reward_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bench = TrainingBench(tmp_path_factory.mktemp("reward"))
    bench.add_pairs(verdicts(64))
    training = TrainingSettings(learning_rate=1e-2, global_batch_size=8, epochs=4, max_seq_len=128)
    result = bench.run(bench.spec("reward", training, reward=RewardObjective()))
    return bench.file(result, "model/config.json").parent


def inputs(bench: Bench, reward_model: Path, sizes: tuple[int, ...] = (30, 20)) -> dict[str, list[Input]]:
    """Votes and questions, cut into inputs of these sizes, and the reward model as an artifact."""
    given: dict[str, list[Input]] = {"votes": [], "questions": [], "model": [publish(bench, reward_model)]}
    start = 0
    for size in sizes:
        places = range(start, start + size)
        votes = [
            {
                "row_id": LABELS[place]["row_id"],
                "answer": None,
                **dict.fromkeys(("count", "valid", "total"), 1),
                "sample": 0,
                "text": BLANK.get(place, LABELS[place]["completion"]),
                "chain_of_thought": False,
            }
            for place in places
        ]
        questions = [
            {"row_id": LABELS[place]["row_id"], "question": LABELS[place]["question"], "level": None, "topic": None}
            for place in reversed(places)
        ]
        given["votes"].append(bench.artifact("grade", "votes.parquet", "votes", votes))
        given["questions"].append(bench.artifact("prepare", "questions.parquet", "questions", questions))
        start += size
    return given


def publish(bench: Bench, folder: Path) -> Input:
    model = Input(kind="train", key="5" * 64, file="model/")
    files: list[FileEntry] = [
        bench.store.put(model.ref, "1", f"model/{path.name}", path) for path in sorted(folder.iterdir())
    ]
    bench.store.write_result(StepResult(kind="train", key=model.key, attempt="1", spec={}, files=tuple(files)))
    return model


def rewards(bench: Bench, result: StepResult) -> dict[str, float]:
    rows = bench.rows(result, "scores/", "scores")
    found = {row["row_id"]: row["reward"] for row in rows}
    assert len(found) == len(rows), "a row is there twice"
    return found


def start(bench: Bench, spec: StepSpec) -> subprocess.Popen[str]:
    file = bench.folder / f"spec-{spec.execution.attempt}-{spec.execution.shard}.json"
    file.write_text(spec.model_dump_json(by_alias=True))
    command = [sys.executable, "-m", "w2s_jobs", "score", "--spec", str(file)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen[str]) -> int:
    output, _ = process.communicate(timeout=250)
    print(output[-3000:])
    return process.returncode


def published(bench: Bench, spec: StepSpec) -> StepResult:
    result = bench.store.read_result(bench.context(spec).ref)
    assert result is not None
    return result


def test_every_label_is_judged_and_a_blank_one_is_worth_nothing(tmp_path: Path, reward_model: Path):
    bench = Bench(tmp_path)
    result = bench.run("score", PARAMS, inputs(bench, reward_model))
    found = rewards(bench, result)
    assert list(found) == [label["row_id"] for label in LABELS]
    for place, label in enumerate(LABELS):
        if place in BLANK:
            assert found[label["row_id"]] == 0
        else:
            assert 0 < found[label["row_id"]] < 1
            assert (found[label["row_id"]] > 0.5) == label["positive"]
    positive = sum(label["positive"] for place, label in enumerate(LABELS) if place not in BLANK)
    assert result.metrics == {"rows": 50, "positiveShare": positive / 50}
    assert set(result.versions) >= {"torch", "transformers"}


def test_chunks_inputs_and_shards_change_nothing_of_the_rewards(tmp_path: Path, reward_model: Path):
    whole, split = Bench(tmp_path / "whole"), Bench(tmp_path / "split")
    expected = rewards(whole, whole.run("score", PARAMS, inputs(whole, reward_model, (50,)), chunk_rows=50))
    given = inputs(split, reward_model, (11, 39))
    for shard in range(2):
        spec = split.spec("score", PARAMS, given, chunk_rows=3, shard=shard, shards=2)
        assert finish(start(split, spec)) == 0
    result = published(split, spec)
    assert rewards(split, result) == pytest.approx(expected, abs=1e-6)
    assert result.timings["rowsPerSecond"] > 0


def test_a_scoring_killed_in_the_middle_ends_with_the_same_rewards(tmp_path: Path, reward_model: Path, seed: int):
    calm, killed = Bench(tmp_path / "calm"), Bench(tmp_path / "killed")
    expected = rewards(calm, calm.run("score", PARAMS, inputs(calm, reward_model), chunk_rows=1))
    given = inputs(killed, reward_model)
    chance = random.Random(seed)
    for attempt in range(2):
        spec = killed.spec("score", PARAMS, given, chunk_rows=1, attempt=str(attempt))
        process = start(killed, spec)
        _wait_for_chunks(killed, spec, process, chance.randint(1, 10) + 10 * attempt)
        process.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM]))
        assert finish(process) in (0, 143, -9)
    assert finish(start(killed, spec)) == 0
    assert rewards(killed, published(killed, spec)) == expected, "to the last digit: batches are formed inside a chunk"


def _wait_for_chunks(bench: Bench, spec: StepSpec, process: subprocess.Popen[str], count: int) -> None:
    """Wait until some chunks are committed, however long that takes; the process's end ends the wait."""
    ref = bench.context(spec).ref
    while process.poll() is None and len(bench.store.list_parts(ref, "scores/")) < count:
        try:
            process.wait(timeout=0.005)
        except subprocess.TimeoutExpired:
            continue


def test_no_labels_are_judged_without_loading_a_model(tmp_path: Path):
    bench = Bench(tmp_path)
    given: dict[str, Any] = {
        "votes": [bench.artifact("grade", "votes.parquet", "votes", [])],
        "questions": [bench.artifact("prepare", "questions.parquet", "questions", [])],
    }
    result = bench.run("score", PARAMS, given)
    assert result.metrics == {"rows": 0, "positiveShare": None}


REFUSED = [
    ("questions of another capability", [0, 1], [1, 0], "has no question in the input beside it"),
    ("votes twice", [0, 0], [0, 0], "is there twice"),
    ("votes without questions", [0, 1], [0], "got 2 of votes, 1 of questions"),
]


@pytest.mark.parametrize(("reason", "votes", "questions", "said"), REFUSED, ids=[case[0] for case in REFUSED])
def test_inputs_that_do_not_belong_together_are_refused(
    tmp_path: Path, reward_model: Path, reason: str, votes: list[int], questions: list[int], said: str
):
    bench = Bench(tmp_path)
    given = inputs(bench, reward_model)
    given["votes"] = [given["votes"][place] for place in votes]
    given["questions"] = [given["questions"][place] for place in questions]
    with pytest.raises(InputError, match=said):
        bench.run("score", PARAMS, given)
