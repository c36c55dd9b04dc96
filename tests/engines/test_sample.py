"""Real sampling of a tiny model: transformers and vLLM on the CPU, killed, resumed, sharded."""

from __future__ import annotations

import random
import signal
import subprocess
from pathlib import Path

import pytest
from transformers import AutoTokenizer, LlamaForCausalLM

from tests.support.sampling import ENGINES, QUESTIONS, finish, params, questions, start, texts
from tests.support.steps import Bench
from w2s_jobs.contracts.steps import StepSpec

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]


@pytest.mark.parametrize("engine", ENGINES)
def test_chunks_and_shards_change_nothing_of_what_is_sampled(tmp_path: Path, model: Path, engine: str) -> None:
    whole = Bench(tmp_path / "whole")
    spec = whole.spec("sample", params(model, engine), questions(whole), chunk_rows=24)
    assert finish(start(whole, spec)) == 0
    split = Bench(tmp_path / "split")
    given = questions(split)
    for shard in range(2):
        spec = split.spec("sample", params(model, engine), given, chunk_rows=5, shard=shard, shards=2)
        assert finish(start(split, spec)) == 0
    results = [bench.store.read_result(bench.context(spec).ref) for bench in (whole, split)]
    assert results[0] is not None
    assert results[1] is not None, "the last shard publishes for all"
    one, two = texts(whole, results[0]), texts(split, results[1])
    assert len(one) == 72
    assert one.keys() == two.keys()
    differing = sum(one[row] != two[row] for row in one)
    print(f"{differing} of {len(one)} texts differ by the engine's rounding")
    assert differing <= 3


def test_a_sampling_killed_at_random_moments_ends_with_the_same_rows(tmp_path: Path, model: Path, seed: int) -> None:
    chance = random.Random(seed)
    calm = Bench(tmp_path / "calm")
    spec = calm.spec("sample", params(model, "transformers", samples=20, maxTokens=60), questions(calm), chunk_rows=2)
    assert finish(start(calm, spec)) == 0
    killed = Bench(tmp_path / "killed")
    given = questions(killed)
    for attempt in range(3):
        spec = killed.spec(
            "sample", params(model, "transformers", samples=20, maxTokens=60), given, chunk_rows=2, attempt=str(attempt)
        )
        process = start(killed, spec)
        _wait_for_chunks(killed, spec, process, chance.randint(1, 3) + 3 * attempt)
        process.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM]))
        assert finish(process) in (0, 143, -9)
    assert finish(start(killed, spec)) == 0
    ref = killed.context(spec).ref
    expected, found = calm.store.read_result(ref), killed.store.read_result(ref)
    assert expected is not None
    assert found is not None
    assert texts(killed, found) == texts(calm, expected), "to the last letter: batches are formed inside a chunk"


def test_a_sampling_that_ended_before_it_published_says_with_what_it_sampled(bench: Bench, model: Path) -> None:
    given, results = questions(bench), []
    for attempt in ("1", "2"):
        spec = bench.spec("sample", params(model, "transformers"), given, attempt=attempt)
        assert finish(start(bench, spec)) == 0
        result = bench.store.read_result(bench.context(spec).ref)
        assert result is not None
        (bench.folder / "store" / "sample" / result.key / "result.json").unlink()
        results.append(result)
    first, again = results
    assert (first.attempt, again.attempt) == ("1", "2")
    assert again.versions == first.versions
    for name in ("engineStartSeconds", "sampleSeconds", "tokensPerSecond"):
        assert again.timings[name] == first.timings[name]


def _wait_for_chunks(bench: Bench, spec: StepSpec, process: subprocess.Popen[str], count: int) -> None:
    """Wait until some chunks are committed, however long that takes; the process's end ends the wait."""
    ref = bench.context(spec).ref
    while process.poll() is None and len(bench.store.list_parts(ref, "samples/")) < count:
        try:
            process.wait(timeout=0.01)
        except subprocess.TimeoutExpired:
            continue


def test_a_damaged_chunk_is_sampled_again(bench: Bench, model: Path) -> None:
    given = questions(bench)
    spec = bench.spec("sample", params(model, "transformers"), given, chunk_rows=6)
    context = bench.context(spec)
    broken = bench.folder / "broken"
    broken.write_bytes(b"PAR1 and then nothing")
    bench.store.put_part(context.ref, "samples/rows-00000000-00000006.parquet", broken)
    result = bench.run("sample", params(model, "transformers"), given, chunk_rows=6)
    assert len(texts(bench, result)) == 72


def test_no_questions_are_sampled_without_loading_a_model(bench: Bench) -> None:
    nowhere = params(Path("/no/such/model"), "transformers")
    result = bench.run("sample", nowhere, questions(bench, 0))
    assert texts(bench, result) == {}
    assert result.metrics["rows"] == 0


def test_greedy_decoding_is_the_models_own(bench: Bench, model: Path) -> None:
    result = bench.run(
        "sample", params(model, "transformers", samples=1, temperature=0, topP=1, maxTokens=8), questions(bench, 4)
    )
    tokenizer = AutoTokenizer.from_pretrained(model)
    reference = LlamaForCausalLM.from_pretrained(model)
    for number, text in enumerate(QUESTIONS[:4]):
        ids = tokenizer(f"Question: {text}\n\nAnswer:", return_tensors="pt")["input_ids"]
        expected = reference.generate(ids, max_new_tokens=8, do_sample=False)[0, ids.shape[1] :]
        decoded = tokenizer.decode(expected, skip_special_tokens=True).strip()
        assert texts(bench, result)[f"row-{number:02d}", 0] == decoded


def test_a_prompt_that_leaves_no_room_is_counted_and_empty(bench: Bench, model: Path) -> None:
    rows = [{"row_id": "long", "question": "word " * 400, "level": None, "topic": None}]
    given = {"questions": [bench.artifact("prepare", "questions.parquet", "questions", rows)]}
    result = bench.run("sample", params(model, "transformers"), given)
    assert result.metrics["finishReasons"] == {"prompt_too_long": 3}


def test_the_room_of_a_row_does_not_depend_on_the_rows_beside_it(tmp_path: Path, model: Path) -> None:
    """The model has 128 positions: a long prompt leaves little room to itself, and all the same to the others."""
    rows = [
        {"row_id": "long", "question": "Say " * 70, "level": None, "topic": None},
        {"row_id": "short", "question": QUESTIONS[0], "level": None, "topic": None},
    ]
    found = []
    for name, asked in (("both", rows), ("alone", rows[1:])):
        bench = Bench(tmp_path / name)
        given = {"questions": [bench.artifact("prepare", "questions.parquet", "questions", asked)]}
        result = bench.run("sample", params(model, "transformers", maxTokens=60), given)
        found.append({key: text for key, text in texts(bench, result).items() if key[0] == "short"})
    assert found[0] == found[1]
