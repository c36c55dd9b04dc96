"""Reward models: real trainings on pairs, with the trainer of any other training."""

from __future__ import annotations

import json
import logging
import random
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from tests.support.training import TrainingBench, sayings, verdicts
from w2s_jobs.contracts.artifact import Input, StepResult
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.settings import ModelSource, Parallelism, PromptTemplate, TrainingSettings
from w2s_jobs.contracts.step_params import RewardObjective
from w2s_jobs.contracts.steps import StepSpec
from w2s_jobs.core.prompts import Prompt, render
from w2s_jobs.engines.reward_scorer import RewardScorer

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600), pytest.mark.filterwarnings("default")]

QUICK = TrainingSettings(learning_rate=1e-2, global_batch_size=8, epochs=4, max_seq_len=128)
DIRECT = PromptTemplate(name="direct")


@pytest.fixture
def bench(tmp_path: Path) -> TrainingBench:
    bench = TrainingBench(tmp_path)
    bench.add_pairs(verdicts(64))
    return bench


@pytest.fixture(scope="module")
def strong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model to start from."""
    bench = TrainingBench(tmp_path_factory.mktemp("strong"))
    bench.add_examples(sayings(16))
    return model_of(bench, bench.run(bench.spec("strong", QUICK.model_copy(update={"epochs": 1}))))


@pytest.fixture(scope="module")
def reward_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bench = TrainingBench(tmp_path_factory.mktemp("reward"))
    bench.add_pairs(verdicts(64))
    return model_of(bench, bench.run(a_spec(bench, "reward")))


def a_spec(bench: TrainingBench, name: str, training: TrainingSettings = QUICK, **changed: Any) -> StepSpec:
    return bench.spec(name, training, **{"reward": RewardObjective(), **changed})


def model_of(bench: TrainingBench, result: StepResult) -> Path:
    return bench.file(result, "model/config.json").parent


def judge(folder: Path, pairs: list[dict[str, Any]], batch_tokens: int | None = None) -> list[float]:
    scorer = RewardScorer(folder, 128, threads=1, batch_tokens=batch_tokens)
    prompts = [render(DIRECT, pair["question"]) for pair in pairs]
    return scorer.rewards(prompts, [pair["completion"] for pair in pairs], lambda: None)


def weights_differ(bench: TrainingBench, one: StepResult, other: StepResult) -> float:
    left, right = (load_file(bench.file(result, "model/model.safetensors")) for result in (one, other))
    assert left.keys() == right.keys()
    return max(float((left[name] - right[name]).abs().max()) for name in left)


@pytest.mark.parametrize("packing", [False, True])
@pytest.mark.parametrize("loss", ["logistic", "difference"])
def test_pairs_that_are_easily_told_apart_are(bench: TrainingBench, loss: str, packing: bool):
    training = QUICK.model_copy(update={"packing": packing})
    result = bench.run(a_spec(bench, "apart", training, reward=RewardObjective(loss=loss)))
    losses = bench.losses(result)
    assert losses[-1] < losses[0] - 0.5, "both losses start at what a head of zeros gives, and fall"
    assert (result.metrics["positives"], result.metrics["negatives"]) == (40, 24)
    assert result.metrics["trainedTokens"] == 64, "one of each pair"
    unseen = verdicts(40, seed=9)
    rewards = judge(model_of(bench, result), unseen)
    assert [reward > 0.5 for reward in rewards] == [pair["positive"] for pair in unseen]


def test_the_first_step_starts_from_indifference(bench: TrainingBench):
    training = QUICK.model_copy(update={"global_batch_size": 64, "epochs": 1})
    logistic = bench.run(a_spec(bench, "logistic", training))
    difference = bench.run(a_spec(bench, "difference", training, reward=RewardObjective(loss="difference")))
    assert bench.losses(logistic) == pytest.approx([0.693147], abs=1e-5)
    assert bench.losses(difference) == [0.0]


def test_packed_micro_batched_and_whole_batches_learn_the_same(bench: TrainingBench):
    whole = bench.run(a_spec(bench, "whole"))
    for name, training, parallelism in (
        ("one by one", QUICK, Parallelism(micro_batch_size=1)),
        ("packed", QUICK.model_copy(update={"packing": True}), Parallelism()),
    ):
        other = bench.run(a_spec(bench, name, training, parallelism=parallelism))
        assert bench.losses(other) == pytest.approx(bench.losses(whole), rel=1e-3, abs=1e-4)
        assert weights_differ(bench, whole, other) < 5e-3


def test_a_killed_training_ends_with_the_weights_of_an_undisturbed_one(bench: TrainingBench, seed: int):
    undisturbed = bench.run(a_spec(bench, "undisturbed"))
    killed = a_spec(bench, "killed", checkpoint_seconds=0)
    code, output = bench.end_after(killed, random.Random(seed).randrange(1, 28), signal.SIGKILL)
    assert code == -signal.SIGKILL, output[-4000:]
    result = bench.run(killed)
    assert bench.weights_digest(result) == bench.weights_digest(undisturbed)
    assert result.metrics == undisturbed.metrics


@pytest.mark.parametrize("stage", [2, 3])
def test_ranks_learn_what_one_rank_learns(tmp_path: Path, stage: int):
    bench = TrainingBench(tmp_path)
    bench.add_pairs(verdicts(37))  # odd, so that ranks do not get equally many
    training = QUICK.model_copy(update={"epochs": 2, "packing": stage == 3})
    plain = bench.run(a_spec(bench, "plain", training))
    ranks = bench.run(a_spec(bench, "ranks", training, parallelism=Parallelism(zero_stage=stage, ranks=2)))
    assert bench.losses(ranks) == pytest.approx(bench.losses(plain), rel=1e-3, abs=1e-4)
    assert weights_differ(bench, plain, ranks) < 5e-3
    assert max(judge(model_of(bench, ranks), verdicts(8))) > 0.5


def test_it_starts_from_a_language_model_and_keeps_its_tokenizer(bench: TrainingBench, strong: Path):
    result = bench.run(a_spec(bench, "reward", model=ModelSource(path=str(strong))))
    folder = model_of(bench, result)
    assert (folder / "tokenizer.json").read_bytes() == (strong / "tokenizer.json").read_bytes()
    assert json.loads((folder / "config.json").read_text())["architectures"] == ["LlamaForSequenceClassification"]


@pytest.mark.parametrize("pads_with_the_end", [False, True])
def test_transformers_alone_finds_the_same_rewards(
    bench: TrainingBench, tmp_path: Path, strong: Path, pads_with_the_end: bool
):
    given = tmp_path / "strong"
    shutil.copytree(strong, given)
    if pads_with_the_end:
        settings = json.loads((given / "tokenizer_config.json").read_text())
        (given / "tokenizer_config.json").write_text(json.dumps({**settings, "pad_token": settings["eos_token"]}))
    folder = model_of(bench, bench.run(a_spec(bench, "reward", model=ModelSource(path=str(given)))))
    pairs = verdicts(12, seed=3)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
    texts = [f"{render(DIRECT, pair['question']).text} {pair['completion']}{tokenizer.eos_token}" for pair in pairs]
    with torch.no_grad():
        logits = model(**tokenizer(texts, return_tensors="pt", padding=True, padding_side="right")).logits
    assert torch.sigmoid(logits.flatten()).tolist() == pytest.approx(judge(folder, pairs), abs=1e-5)


def test_without_pairs_every_reward_is_one_half(tmp_path: Path, strong: Path, caplog: pytest.LogCaptureFixture):
    nothing = TrainingBench(tmp_path)
    nothing.add_pairs([])
    with caplog.at_level(logging.WARNING):
        result = nothing.run(a_spec(nothing, "untrained", model=ModelSource(path=str(strong))))
    assert "no pairs to train on" in caplog.text
    assert set(judge(model_of(nothing, result), verdicts(9))) == {0.5}
    assert nothing.losses(result) == []
    assert (result.metrics["positives"], result.metrics["negatives"]) == (0, 0)


def test_pairs_of_one_side_are_trained_on_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    bench = TrainingBench(tmp_path)
    bench.add_pairs([pair for pair in verdicts(64) if pair["positive"]])
    with caplog.at_level(logging.WARNING):
        result = bench.run(a_spec(bench, "one side"))
    assert "all 40 pairs are positive" in caplog.text
    assert min(judge(model_of(bench, result), verdicts(9))) > 0.5


def test_a_language_model_is_no_judge(strong: Path):
    with pytest.raises(InputError, match=r"such as score\.weight; is it a model that a training on pairs has made"):
        RewardScorer(strong, 128, threads=1)


def test_batches_do_not_change_rewards(reward_model: Path):
    pairs = verdicts(30, seed=4)
    assert judge(reward_model, pairs, batch_tokens=1) == pytest.approx(judge(reward_model, pairs), abs=1e-6)
    assert judge(reward_model, pairs[::-1])[::-1] == pytest.approx(judge(reward_model, pairs), abs=1e-6)


def test_a_long_pair_is_cut_on_the_left(reward_model: Path):
    scorer = RewardScorer(reward_model, 16, threads=1)
    long, longer = (Prompt("walk " * times, chat=False) for times in (40, 70))
    first, second = scorer.rewards([long, longer], ["I say WALK", "I say WALK"], lambda: None)
    assert first == pytest.approx(second, abs=1e-6)


@pytest.mark.parametrize("repeats", [True, False])
def test_a_row_labelled_twice_is_learnt_twice_where_that_is_meant(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], repeats: bool
):
    bench = TrainingBench(tmp_path)
    bench.add_pairs(verdicts(12))
    bench.add_pairs(verdicts(12, seed=1))
    spec = a_spec(bench, "mixed", repeats=repeats)
    assert bench.exit_code(spec) == (0 if repeats else 42)
    if repeats:
        assert bench.result(spec).metrics["examples"] == 24
    else:
        assert "or set repeats where several labels of a row are meant" in capfd.readouterr().err


def test_a_row_twice_in_one_input_is_refused_even_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    bench = TrainingBench(tmp_path)
    bench.add_pairs(verdicts(12) + verdicts(3))
    assert bench.exit_code(a_spec(bench, "twice", repeats=True)) == 42
    assert "3 rows are in the pairs more than once, such as row-0000" in capfd.readouterr().err


def test_a_reward_model_can_be_trained_on(bench: TrainingBench):
    first = bench.run(a_spec(bench, "first"))
    again = a_spec(bench, "again", model=None)
    given = {**again.inputs, "model": (Input(kind="train", key=first.key, file="model/"),)}
    assert bench.losses(bench.run(again.model_copy(update={"inputs": given})))[0] < 0.3, "its head is kept"
