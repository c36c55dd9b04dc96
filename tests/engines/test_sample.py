"""Real sampling of a tiny model: transformers and vLLM on the CPU, killed, resumed, sharded."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tests.support.steps import Bench
from w2s_jobs.contracts.artifact import Input, StepResult
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.settings import PromptTemplate
from w2s_jobs.contracts.steps import StepSpec
from w2s_jobs.core.prompts import render_after_shots
from w2s_jobs.engines.sampler import encode_prompt

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]

ENGINES = ["transformers", "vllm"]
QUESTIONS = [f"Say {number} words about {number * 7}." for number in range(24)]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random decoder with a tokenizer; small heads, since vLLM's CPU attention wants a multiple of 32."""
    folder = tmp_path_factory.mktemp("model")
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(QUESTIONS, vocab_size=300, special_tokens=["<end>"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe._tokenizer, eos_token="<end>", pad_token="<end>")
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def params(model: Path, engine: str, **sampling: Any) -> dict[str, Any]:
    settings = {"samples": 3, "temperature": 0.8, "topP": 0.95, "maxTokens": 12, **sampling}
    return {
        "model": {"path": str(model)},
        "engine": engine,
        "template": {"name": "direct"},
        "sampling": settings,
        "seed": 5,
    }


def questions(bench: Bench, count: int = len(QUESTIONS)) -> dict[str, list[Input]]:
    rows = [
        {"row_id": f"row-{number:02d}", "question": text, "level": None, "topic": None}
        for number, text in enumerate(QUESTIONS[:count])
    ]
    return {"questions": [bench.artifact("prepare", "questions.parquet", "questions", rows)]}


def texts(bench: Bench, result: StepResult) -> dict[tuple[str, int], str]:
    rows = bench.rows(result, "samples/", "samples")
    found = {(row["row_id"], row["sample"]): row["text"] for row in rows}
    assert len(found) == len(rows), "a row is there twice"
    return found


def start(bench: Bench, spec: StepSpec) -> subprocess.Popen[str]:
    file = bench.folder / f"spec-{spec.execution.attempt}-{spec.execution.shard}.json"
    file.write_text(spec.model_dump_json(by_alias=True))
    command = [sys.executable, "-m", "w2s_jobs", "sample", "--spec", str(file)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> int:
    out, err = process.communicate(timeout=250)
    print(out[-2000:], err[-2000:])
    return process.returncode


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


def _wait_for_chunks(bench: Bench, spec: StepSpec, process: subprocess.Popen[str], count: int) -> None:
    """Wait until some chunks are committed, however long that takes; the process's end ends the wait."""
    ref = bench.context(spec).ref
    while process.poll() is None and len(bench.store.list_parts(ref)) < count:
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


def test_a_missing_model_is_named(bench: Bench) -> None:
    with pytest.raises(InputError, match=r"model /no/such/model: there is no such folder"):
        bench.run("sample", params(Path("/no/such/model"), "transformers"), questions(bench))


def test_a_chat_template_that_is_not_there_is_named_with_the_fix(bench: Bench, model: Path) -> None:
    chat = {**params(model, "transformers"), "template": {"name": "chat"}}
    with pytest.raises(InputError, match=r"has no chat template; use a template without chat"):
        bench.run("sample", chat, questions(bench))


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


def solved(bench: Bench, topic: str, count: int) -> Input:
    rows = [
        {
            "row_id": f"{topic}-{number}",
            "question": f"{topic} {number}?",
            "completion": f"it is {number}",
            **dict.fromkeys(("answer", "confidence_count", "confidence_total")),
        }
        for number in reversed(range(count))  # their order in the file is not that of their ids
    ]
    return bench.artifact("prepare", f"{topic}.parquet", "examples", rows)


def asked(bench: Bench, topic: str, texts: list[str]) -> Input:
    rows = [
        {"row_id": f"{topic}/{number}", "question": text, "level": None, "topic": None}
        for number, text in enumerate(texts)
    ]
    return bench.artifact("prepare", f"{topic}.questions.parquet", "questions", rows)


def test_two_sets_of_questions_in_one_sampling_are_two_samplings(tmp_path: Path, model: Path) -> None:
    both, first, second = (Bench(tmp_path / name) for name in ("both", "first", "second"))
    sets = {"a": QUESTIONS[:7], "b": QUESTIONS[7:12]}
    given = [asked(both, topic, texts) for topic, texts in sets.items()]
    together = both.run("sample", params(model, "transformers"), {"questions": given}, chunk_rows=5)
    apart = {}
    for bench, (topic, asked_texts) in zip((first, second), sets.items(), strict=True):
        alone = bench.run("sample", params(model, "transformers"), {"questions": [asked(bench, topic, asked_texts)]})
        apart |= texts(bench, alone)
    assert texts(both, together) == apart
    assert together.metrics["rows"] == 12


def test_a_row_in_two_sets_of_questions_is_refused(bench: Bench, model: Path) -> None:
    given = [asked(bench, "a", QUESTIONS[:3]), asked(bench, "a", QUESTIONS[:2])]
    with pytest.raises(InputError, match=r"row a/0 is in the questions 2 times; name disjoint inputs"):
        bench.run("sample", params(model, "transformers"), {"questions": given})


def test_shots_of_its_own_set_stand_before_each_question(bench: Bench, model: Path) -> None:
    given = {
        "questions": [asked(bench, "a", QUESTIONS[:2]), asked(bench, "b", QUESTIONS[2:3])],
        "shots": [solved(bench, "a", 5), solved(bench, "b", 2)],
    }
    greedy = {**params(model, "transformers", samples=1, temperature=0, topP=1, maxTokens=8), "shots": 2}
    result = bench.run("sample", greedy, given)
    tokenizer = AutoTokenizer.from_pretrained(model)
    reference = LlamaForCausalLM.from_pretrained(model)
    for topic, number, text in (("a", 0, QUESTIONS[0]), ("a", 1, QUESTIONS[1]), ("b", 0, QUESTIONS[2])):
        shots = "".join(f"Question: {topic} {shot}?\n\nAnswer: it is {shot}\n\n" for shot in range(2))
        ids = tokenizer(f"{shots}Question: {text}\n\nAnswer:", return_tensors="pt")["input_ids"]
        expected = reference.generate(ids, max_new_tokens=8, do_sample=False)[0, ids.shape[1] :]
        decoded = tokenizer.decode(expected, skip_special_tokens=True).split("\n\nQuestion:")[0].strip()
        assert texts(bench, result)[f"{topic}/{number}", 0] == decoded


SHOTS_REFUSED = [
    ("too few solved examples", 3, [2], r"3 shots are wanted, an input 'shots' has 2 solved examples"),
    ("no input of shots", 1, [], r"and 'shots' for each; got 1 of questions, 0 of shots"),
    ("shots that fill the model", 20, [20], r"with 20 shots before it, none of the 2 questions such as a/0"),
]


@pytest.mark.parametrize(("reason", "shots", "sizes", "said"), SHOTS_REFUSED, ids=[case[0] for case in SHOTS_REFUSED])
def test_shots_that_cannot_be_shown_are_refused(
    bench: Bench, model: Path, reason: str, shots: int, sizes: list[int], said: str
) -> None:
    given = {
        "questions": [asked(bench, "a", QUESTIONS[:2])],
        "shots": [solved(bench, f"s{size}", size) for size in sizes],
    }
    with pytest.raises(InputError, match=said):
        bench.run("sample", {**params(model, "transformers"), "shots": shots}, given)


@pytest.mark.parametrize("engine", ENGINES)
def test_cut_weights_are_named_by_every_engine(bench: Bench, model: Path, tmp_path: Path, engine: str) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(model, damaged)
    file = damaged / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"model\.safetensors is damaged"):
        bench.run("sample", params(damaged, engine), questions(bench))


def test_weights_that_do_not_fit_the_config_are_never_drawn_at_random(
    bench: Bench, model: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(model, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(InputError, match=r"weights are missing or not of the shape that config\.json asks for"):
        bench.run("sample", params(other, "transformers"), questions(bench))


def test_shots_of_a_chat_are_turns_of_the_models_template(model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.chat_template = (
        "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}[me]{% endif %}"
    )
    prompt = render_after_shots(PromptTemplate(name="chat"), "2+2?", [("1+1?", "2")])
    assert tokenizer.decode(encode_prompt(tokenizer, prompt, model)) == "[user]1+1?[assistant]2[user]2+2?[me]"
