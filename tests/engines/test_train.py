"""Real trainings of tiny models: what is learnt, what is refused, what is handed on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.support.training import TINY, TrainingBench, sayings
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.settings import ModelSource, TrainingSettings

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]

QUICK = TrainingSettings(learning_rate=1e-2, global_batch_size=8, epochs=4, max_seq_len=128)


@pytest.fixture
def bench(tmp_path: Path) -> TrainingBench:
    bench = TrainingBench(tmp_path)
    bench.add_examples(sayings(64))
    return bench


def test_the_loss_falls_and_the_model_loads_like_any_other(bench: TrainingBench):
    result = bench.run(bench.spec("falls", QUICK))
    losses = bench.losses(result)
    assert len(losses) == result.metrics["optimizerSteps"] == 32
    assert losses[-1] < 0.7 * losses[0]
    assert (result.metrics["firstLoss"], result.metrics["lastLoss"]) == (losses[0], losses[-1])
    folder = bench.file(result, "model/config.json").parent
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    assert model.dtype == torch.float32
    assert model.config.use_cache
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    assert tokenizer.decode(tokenizer("jump 12 times, é")["input_ids"]) == "jump 12 times, é"


def test_the_same_spec_gives_the_same_weights_to_the_last_digit(bench: TrainingBench):
    first, second = (bench.run(bench.spec(name, QUICK)) for name in ("one", "two"))
    assert bench.weights_digest(first) == bench.weights_digest(second)
    assert first.metrics == second.metrics


def test_the_order_of_the_inputs_does_not_matter(tmp_path: Path):
    rows = sayings(40)
    digests = []
    for name, parts in (("left", (rows[:13], rows[13:])), ("right", (rows[13:], rows[:13]))):
        bench = TrainingBench(tmp_path / name)
        for part in parts:
            bench.add_examples(part)
        digests.append(bench.weights_digest(bench.run(bench.spec("union", QUICK))))
    assert digests[0] == digests[1]


def test_a_filter_that_kept_nothing_leaves_the_model_as_it_is(bench: TrainingBench, tmp_path: Path):
    given = bench.run(bench.spec("given", QUICK))
    folder = bench.file(given, "model/config.json").parent
    nothing = TrainingBench(tmp_path / "nothing")
    nothing.add_examples([])
    result = nothing.run(nothing.spec("untrained", QUICK, model=ModelSource(path=str(folder))))
    assert nothing.weights_digest(result) == bench.weights_digest(given)
    assert nothing.losses(result) == []
    assert result.metrics["examples"] == 0


def test_packed_learns_what_unpacked_learns(bench: TrainingBench):
    unpacked = bench.run(bench.spec("unpacked", QUICK))
    packed = bench.run(bench.spec("packed", QUICK.model_copy(update={"packing": True})))
    assert bench.losses(packed) == pytest.approx(bench.losses(unpacked), rel=1e-4)


def test_a_trained_model_can_be_trained_on(bench: TrainingBench):
    first = bench.run(bench.spec("first", QUICK))
    again = bench.spec("again", QUICK, model=None)
    again = again.model_copy(
        update={"inputs": {**again.inputs, "model": (Input(kind="train", key=first.key, file="model/"),)}}
    )
    assert bench.losses(bench.run(again))[0] < 0.8 * bench.losses(first)[0]
    assert bench.file(bench.result(again), "model/tokenizer.json").read_bytes() == (
        bench.file(first, "model/tokenizer.json").read_bytes()
    )


@pytest.mark.parametrize("architecture", ["llama", "qwen2"])
def test_bfloat16_where_it_is_asked_for(bench: TrainingBench, architecture: str):
    training = QUICK.model_copy(update={"dtype": "bfloat16", "gradient_checkpointing": True, "packing": True})
    source = ModelSource(scratch=TINY.model_copy(update={"architecture": architecture}))
    result = bench.run(bench.spec("half", training, model=source))
    assert bench.losses(result)[-1] < 0.8 * bench.losses(result)[0]
    assert json.loads(bench.file(result, "model/config.json").read_text())["dtype"] == "bfloat16"


REFUSALS = [
    ("no rows for a model from scratch", [], {}, "no examples to train on, and a model from scratch"),
    ("a row twice", sayings(3) + sayings(1), {}, "row-0000"),
    ("a chat prompt without a chat template", sayings(3), {"template": {"name": "chat"}}, "no chat template"),
    (
        "completions that do not fit",
        [row | {"completion": "walk " * 40} for row in sayings(3)],
        {"training": QUICK.model_copy(update={"max_seq_len": 32})},
        "raise training.maxSeqLen",
    ),
    (
        "heads that do not divide",
        sayings(3),
        {"model": ModelSource(scratch=TINY.model_copy(update={"heads": 3}))},
        "hiddenSize=32 over heads=3",
    ),
]


@pytest.mark.parametrize(("reason", "rows", "params", "said"), REFUSALS, ids=[case[0] for case in REFUSALS])
def test_what_can_never_work_is_refused_with_exit_code_42(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], reason: str, rows: list[Any], params: dict[str, Any], said: str
):
    bench = TrainingBench(tmp_path)
    bench.add_examples(rows)
    spec = bench.spec("refused", **{"training": QUICK} | params)
    assert bench.exit_code(spec) == 42
    said_by_step = capfd.readouterr()
    assert said in said_by_step.err
    assert "Traceback" not in said_by_step.out + said_by_step.err
