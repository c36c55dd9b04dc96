"""Tokens/s of the step `sample` against a bare `LLM.generate` loop over the same prompts, in one run.

    python -m benchmarks.sampling [--model FOLDER] [--questions N] [--turns N]

All sides use vLLM with the same engine settings and draw the same number of samples; engine start is not counted. The
bare loop calls `generate` for each chunk of questions and keeps the texts, as a script would, once with vLLM's own
draw, and once with ours (which looks at the likeliest tokens before it sorts a vocabulary), so that the cost of the
step itself stands alone. The step does all it does: seeds a row, streams over chunk borders, writes Parquet, commits to
a store. Each side has a process of its own; they take turns, and the median of the turns' ratios counts.
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
from statistics import median
from typing import Any

from w2s_jobs.contracts.settings import PromptTemplate, SamplingSettings
from w2s_jobs.core.prompts import render

CHUNK, SAMPLES, TOKENS, THREADS = 32, 10, 64, 2


def questions(count: int) -> list[str]:
    """Questions of different lengths."""
    return [f"What is {n} and {n * 7}" + " and some more" * (n % 9) + "?" for n in range(count)]


def bare(model: Path, count: int, draw: str) -> float:
    """Tokens/s of the loop that anybody would write, with vLLM's own draw or with the step's."""
    from w2s_jobs.engines.vllm_device import vllm_device

    device = vllm_device(0, THREADS, "auto")
    os.environ.update(device.environment)
    from vllm import LLM, SamplingParams

    arguments = {k: v for k, v in device.arguments.items() if draw == "ours" or k != "logits_processors"}
    engine = LLM(model=str(model), enable_prefix_caching=True, disable_log_stats=True, seed=0, **arguments)
    prompts = [render(PromptTemplate(name="direct"), question).text for question in questions(count)]
    if draw == "ours":
        # Greedy decoding gives one completion, so a prompt is asked SAMPLES times, each with a seed of its own.
        chosen = {"temperature": 0.6, "top_p": 0.9}
        settings = [
            SamplingParams(temperature=0, max_tokens=TOKENS, extra_args={"w2s_seeded": {"seed": n, **chosen}})
            for n in range(count * SAMPLES)
        ]
        asked = [(prompt, settings[n * SAMPLES + s]) for n, prompt in enumerate(prompts) for s in range(SAMPLES)]
        size = CHUNK * SAMPLES
    else:
        asked = [
            (prompt, SamplingParams(n=SAMPLES, temperature=0.6, top_p=0.9, max_tokens=TOKENS)) for prompt in prompts
        ]
        size = CHUNK
    chunks = [asked[start : start + size] for start in range(0, len(asked), size)]
    engine.generate(prompts[:2], asked[0][1], use_tqdm=False)  # warm
    tokens, texts, started = 0, [], time.monotonic()
    for chunk in chunks:
        for output in engine.generate([p for p, _ in chunk], [s for _, s in chunk], use_tqdm=False):
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
    sampling = SamplingSettings(samples=SAMPLES, temperature=0.6, top_p=0.9, max_tokens=TOKENS)
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


def bare_apart(model: Path, count: int, draw: str) -> float:
    """Run the loop in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.sampling", "--bare", draw, "--model", str(model)]
    command += ["--questions", str(count)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Run every side and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path(".w2s/models/smollm2-135m-instruct"))
    parser.add_argument("--questions", type=int, default=24)
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--bare", choices=["plain", "ours"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    model = options.model.resolve()
    if not (model / "config.json").is_file():
        sys.exit(f"error: no model at {model}; run `make real` once, or name one with --model")
    if options.bare:
        print(json.dumps(bare(model, options.questions, options.bare)))
        return
    to_plain, to_same = [], []
    for _ in range(options.turns):
        plain, same = (bare_apart(model, options.questions, draw) for draw in ("plain", "ours"))
        with tempfile.TemporaryDirectory() as folder:
            found = step(model, options.questions, Path(folder))
        print(
            f"bare loop {plain:,.0f} tokens/s, with our draw {same:,.0f} tokens/s, step {found:,.0f} tokens/s",
            flush=True,
        )
        to_plain.append(found / plain)
        to_same.append(found / same)
    print(
        f"ratio {median(to_plain):.2f} to the bare loop (target: at least 0.97); "
        f"{median(to_same):.2f} to the loop with the same draw"
    )


if __name__ == "__main__":
    main()
