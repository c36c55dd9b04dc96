"""Tokens/s of the step `sample` against a bare `LLM.generate` loop over the same prompts, in one run.

    python -m benchmarks.sampling [--model FOLDER] [--questions N]

Both sides use vLLM with the same engine settings and draw the same number of samples; engine start is not counted. The
bare loop calls `generate` for each chunk of questions and keeps the texts, as a script would. The step does all it
does: seeds a row, streams over chunk borders, writes Parquet, commits to a store. Each side has a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from w2s_jobs.contracts.settings import PromptTemplate, SamplingSettings
from w2s_jobs.core.prompts import render

CHUNK, SAMPLES, TOKENS, THREADS = 32, 10, 64, 2


def questions(count: int) -> list[str]:
    """Questions of different lengths."""
    return [f"What is {n} and {n * 7}" + " and some more" * (n % 9) + "?" for n in range(count)]


def bare(model: Path, count: int) -> float:
    """Tokens/s of the loop that anybody would write."""
    from w2s_jobs.engines.vllm_device import vllm_device

    device = vllm_device(0, THREADS, "auto")
    os.environ.update(device.environment)
    from vllm import LLM, SamplingParams

    arguments = {k: v for k, v in device.arguments.items() if k != "logits_processors"}
    engine = LLM(model=str(model), enable_prefix_caching=True, disable_log_stats=True, seed=0, **arguments)
    prompts = [render(PromptTemplate(name="direct"), question).text for question in questions(count)]
    settings = SamplingParams(n=SAMPLES, temperature=0.6, top_p=0.9, max_tokens=TOKENS)
    engine.generate(prompts[:2], settings, use_tqdm=False)  # warm
    tokens, texts, started = 0, [], time.monotonic()
    for start in range(0, count, CHUNK):
        for output in engine.generate(prompts[start : start + CHUNK], settings, use_tqdm=False):
            texts.extend(sample.text for sample in output.outputs)
            tokens += sum(len(sample.token_ids) for sample in output.outputs)
    return tokens / (time.monotonic() - started)


def step(model: Path, count: int, folder: Path) -> float:
    """Tokens/s as the step itself reports them."""
    from tests.support.steps import Bench

    bench = Bench(folder)
    rows = [
        {"row_id": f"row-{n:05d}", "question": text, "level": None, "topic": None}
        for n, text in enumerate(questions(count))
    ]
    sampling = SamplingSettings(n=SAMPLES, temperature=0.6, top_p=0.9, max_tokens=TOKENS)
    params: dict[str, Any] = {
        "model": {"path": str(model)},
        "engine": "vllm",
        "template": {"name": "direct"},
        "sampling": sampling.model_dump(by_alias=True),
        "seed": 0,
    }
    spec = bench.spec(
        "sample",
        params,
        {"questions": [bench.artifact("prepare", "questions.parquet", "questions", rows)]},
        chunk_rows=CHUNK,
        threads=THREADS,
    )
    file = folder / "spec.json"
    file.write_text(spec.model_dump_json(by_alias=True))
    subprocess.run([sys.executable, "-m", "w2s_jobs", "sample", "--spec", str(file)], check=True, capture_output=True)
    result = bench.store.read_result(bench.context(spec).ref)
    assert result is not None
    return result.timings["tokensPerSecond"]


def main() -> None:
    """Run both sides and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path(".w2s/models/smollm2-135m-instruct"))
    parser.add_argument("--questions", type=int, default=64)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    model = options.model.resolve()
    if not (model / "config.json").is_file():
        sys.exit(f"error: no model at {model}; run `make real` once, or name one with --model")
    if options.bare:
        print(json.dumps(bare(model, options.questions)))
        return
    command = [sys.executable, "-m", "benchmarks.sampling", "--bare", "--model", str(model)]
    command += ["--questions", str(options.questions)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    loop = float(done.stdout.splitlines()[-1])
    with tempfile.TemporaryDirectory() as folder:
        ours = step(model, options.questions, Path(folder))
    print(f"bare loop {loop:,.0f} tokens/s, step {ours:,.0f} tokens/s; ratio {ours / loop:.2f} (target: at least 0.97)")


if __name__ == "__main__":
    main()
