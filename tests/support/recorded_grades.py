"""Real model outputs of ../shared/data with the verdict that came with them, one reader a set.

A verdict is what the set's own publisher graded. Where a set has none (ZeroEval publishes outputs and gold), it is
remade from the publisher's rule: the `answer` field of the JSON output, compared with gold.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["SETS", "Graded", "read_records"]


@dataclass(frozen=True)
class Graded:
    """One output with the verdict that came with it."""

    index: str
    """place in its file: line number, then column or run"""
    family: str
    text: str
    gold: str
    right: bool
    """the set's own verdict"""
    stated: str | None
    """the answer that the set's own extractor found; None where it recorded none"""


def read_records(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines, gzipped or not."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in data.decode().split("\n") if line]


def _example_solutions(data: Path) -> Iterator[Graded]:
    for row, record in enumerate(read_records(data / "gsm8k/example_model_solutions.head800.jsonl")):
        gold = record["ground_truth"].rpartition("A:")[2].strip()
        for model in ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"):
            found = record[model]
            yield Graded(f"{row}/{model}", "gsm8k", found["solution"], gold, found["is_correct"], None)


def _re2(model: str) -> Callable[[Path], Iterator[Graded]]:
    def read(data: Path) -> Iterator[Graded]:
        for row, record in enumerate(read_records(data / f"gsm8k_model_outputs/re2_gsm_{model}.idx0-799.jsonl.gz")):
            for prompt in ("vanilla", "cot"):
                found = record[prompt]
                stated = None if found["answer"] is None else str(found["answer"])
                text = (found["generation"] or [""])[0]
                yield Graded(f"{row}/{prompt}", "gsm8k", text, str(record["target"]), bool(found["score"]), stated)

    return read


def _routellm(data: Path) -> Iterator[Graded]:
    gold = [
        record["answer"].rpartition("####")[2].strip() for record in read_records(data / "gsm8k/test.head800.jsonl")
    ]
    with (data / "gsm8k_model_outputs/routellm_gsm8k_responses.head800.csv").open(newline="") as lines:
        for row, record in enumerate(csv.DictReader(lines)):
            for column in ("mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview"):
                text = record[f"{column}_response"]
                yield Graded(f"{row}/{column}", "gsm8k", text, gold[row], record[column] == "True", None)


def _zeroeval(path: str, family: str, same: Callable[[str, str], bool]) -> Callable[[Path], Iterator[Graded]]:
    def read(data: Path) -> Iterator[Graded]:
        for row, record in enumerate(read_records(data / path)):
            text, gold = record["output"][0], record["answer"].removeprefix("#").strip()
            stated = _answer_field(text)
            right = stated is not None and same(stated, gold)
            yield Graded(str(row), family, text, gold, right, stated)

    return read


def _answer_field(text: str) -> str | None:
    found = re.findall(r'"answer"\s*:\s*(?:"((?:[^"\\]|\\.)*)"|([^",}\n]+))', text)
    return (found[-1][0] or found[-1][1]).strip() if found else None


def _same_first_number(stated: str, gold: str) -> bool:
    """ZeroEval's rule for GSM8K: the first number of the field, without commas, is gold."""
    found = re.search(r"-?[0-9]+(?:\.[0-9]+)?", stated.replace(",", ""))
    return found is not None and float(found[0]) == float(gold.replace(",", ""))


def _same_text(stated: str, gold: str) -> bool:
    """The strictest rule for MATH: the same text, spaces and dollar signs aside."""
    return _bare(stated) == _bare(gold)


def _bare(text: str) -> str:
    return re.sub(r"[\s$]|\\\\?left|\\\\?right", "", text).replace("\\\\", "\\").replace("dfrac", "frac")


def _adapters(data: Path) -> Iterator[Graded]:
    for row, record in enumerate(read_records(data / "self_consistency/llm_adapters_gsm8k_8runs.idx0-799.jsonl.gz")):
        for run in record["runs"]:
            text = run["response"].removesuffix("</s>")
            yield Graded(f"{row}/{run['run']}", "gsm8k", text, record["gold"], run["log_correct"], run["prediction"])


def _qwen(data: Path) -> Iterator[Graded]:
    for row, record in enumerate(read_records(data / "self_consistency/qwen_math_cot_n8.head50.jsonl.gz")):
        for number, (text, stated, score) in enumerate(
            zip(record["code"], record["pred"], record["score"], strict=True)
        ):
            yield Graded(f"{row}/{number}", "math", text, record["gt"], score, stated)


def _weak_outputs(model: str) -> Callable[[Path], Iterator[Graded]]:
    def read(data: Path) -> Iterator[Graded]:
        path = data / f"weak_to_strong_reasoning/gsm8k_weak_outputs_{model}.head500.jsonl"
        for row, record in enumerate(read_records(path)):
            yield Graded(str(row), "gsm8k", record["response"], record["gold"], record["result"], record["pred"])

    return read


def _math_sft(kind: str) -> Callable[[Path], Iterator[Graded]]:
    def read(data: Path) -> Iterator[Graded]:
        path = data / f"weak_to_strong_reasoning/math_sft_gemma_2b_iter1_{kind}.head300.jsonl"
        for row, record in enumerate(read_records(path)):
            yield Graded(str(row), "math", record["output"], record["gold"], record["result"], record["pred"])

    return read


def _chains(name: str) -> Callable[[Path], Iterator[Graded]]:
    def read(data: Path) -> Iterator[Graded]:
        for row, record in enumerate(read_records(data / f"graded_chains/verify_cot_{name}_100.jsonl")):
            yield Graded(str(row), "gsm8k", record["answer"], str(record["final_answer"]), record["correct"], None)

    return read


_ZEROEVAL_GSM8K = (
    "Meta-Llama-3-70B-Instruct",
    "Meta-Llama-3-8B-Instruct",
    "Mixtral-8x7B-Instruct-v0.1",
    "Qwen2-7B-Instruct",
    "gemma-2-2b-it",
    "gemma-2-9b-it",
    "gpt-3.5-turbo-0125",
    "gpt-4o-mini-2024-07-18",
)

SETS: dict[str, Callable[[Path], Iterator[Graded]]] = {
    "gsm8k/example_model_solutions": _example_solutions,
    **{
        f"gsm8k_model_outputs/re2_{model}": _re2(model)
        for model in ("gpt-3.5-turbo", "gpt-4o-mini", "text-davinci-003")
    },
    "gsm8k_model_outputs/routellm": _routellm,
    **{
        f"gsm8k_model_outputs/zeroeval_{model}": _zeroeval(
            f"gsm8k_model_outputs/zeroeval_{model}.head200.jsonl.gz", "gsm8k", _same_first_number
        )
        for model in _ZEROEVAL_GSM8K
    },
    **{
        f"math_model_outputs/zeroeval_{model}": _zeroeval(
            f"math_model_outputs/zeroeval_math-l5_{model}.head.jsonl.gz", "math", _same_text
        )
        for model in ("gemma-2-2b-it", "gpt-4o-mini-2024-07-18")
    },
    "self_consistency/llm_adapters": _adapters,
    "self_consistency/qwen_math": _qwen,
    **{f"weak_to_strong_reasoning/{model}": _weak_outputs(model) for model in ("llama2_7b", "mistral_7b")},
    **{f"weak_to_strong_reasoning/math_{kind}": _math_sft(kind) for kind in ("icl", "weak")},
    **{f"graded_chains/{name}": _chains(name) for name in ("addsub", "gsm8k")},
}
"""Each set by its name, as the table of docs/grading.md and tests/data/grading_differences.json name it."""
