"""A tiny model, questions for it, and sampling in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tests.support.steps import Bench
from w2s_jobs.contracts.artifact import Input, StepResult
from w2s_jobs.contracts.steps import StepSpec

__all__ = ["ENGINES", "QUESTIONS", "asked", "finish", "make_sampler", "params", "questions", "solved", "start", "texts"]

ENGINES = ["transformers", "vllm"]
QUESTIONS = [f"Say {number} words about {number * 7}." for number in range(24)]


def make_sampler(folder: Path) -> Path:
    """Write a random decoder with a tokenizer; small heads, since vLLM's CPU attention wants a multiple of 32."""
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
