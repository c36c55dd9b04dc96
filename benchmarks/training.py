"""Tokens/s of `train` against a bare `transformers.Trainer` on the same data, model and machine, in one run.

    python -m benchmarks.training [--model FOLDER] [--examples N] [--threads N]

Both sides learn the same GSM8K examples (../shared/data/gsm8k) in the same batches of 32: the bare Trainer in
micro-batches of 8 padded to their longest, as its documentation shows it; `train` unpacked and packed. Tokens are
real ones: padding is not counted. On a CPU the clock is the process's CPU time, which other processes do not disturb.
Prints one line: the two ratios.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, DataCollatorForSeq2Seq, Trainer, TrainingArguments

from w2s_jobs.context import StepContext
from w2s_jobs.contracts.settings import PromptTemplate, ScratchModel, TrainingSettings
from w2s_jobs.contracts.steps import Execution, StepSpec, StoreSettings
from w2s_jobs.core.prompts import render
from w2s_jobs.engines.scratch import build_scratch_model
from w2s_jobs.engines.token_examples import TokenExamples
from w2s_jobs.engines.tokenization import tokenize_examples
from w2s_jobs.engines.trainer import fit
from w2s_jobs.engines.training_job import TrainingJob
from w2s_jobs.store.open import open_store

GSM8K = Path(__file__).resolve().parents[2] / "shared" / "data" / "gsm8k" / "train.jsonl"
SCRATCH = ScratchModel(hidden_size=256, layers=6, heads=4, intermediate_size=704, vocab_size=8192, max_positions=1024)
TRAINING = TrainingSettings(learning_rate=1e-4, global_batch_size=32, epochs=1, max_seq_len=1024)
MICRO_BATCH = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="folder in Hugging Face layout; by default a small one from scratch")
    parser.add_argument("--examples", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2, help="each side runs so often, in turn; the best counts")
    options = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        records = [json.loads(line) for line in GSM8K.read_text().splitlines()[: options.examples]]
        prompts = [render(PromptTemplate(name="direct"), record["question"]) for record in records]
        answers = [record["answer"] for record in records]
        model = options.model or build_scratch_model(SCRATCH, [*(p.text for p in prompts), *answers], root / "model")
        examples = tokenize_examples(model, prompts, answers, TRAINING.max_seq_len)
        sides: dict[str, Callable[[Path], float]] = {
            "bare": lambda output: bare(model, examples, output),
            "unpacked": lambda output: ours(model, examples, output, options.threads, packing=False),
            "packed": lambda output: ours(model, examples, output, options.threads, packing=True),
        }
        best = dict.fromkeys(sides, 0.0)
        for number in range(options.rounds):
            for side, measure in sides.items():
                speed = measure(root / f"{side}{number}")
                best[side] = max(best[side], speed)
                print(f"  {side}: {speed:,.0f} tokens/s", flush=True)
    print(
        f"train / bare transformers.Trainer, tokens/s: unpacked {best['unpacked'] / best['bare']:.2f} (at least 1.0), "
        f"packed {best['packed'] / best['bare']:.2f} (at least 1.5)"
    )


def bare(model: Path, examples: TokenExamples, output: Path) -> float:
    """Train with the Trainer as it comes."""
    data = [_record(examples, index) for index in range(len(examples))]
    arguments = TrainingArguments(
        output_dir=str(output),
        num_train_epochs=1,
        per_device_train_batch_size=MICRO_BATCH,
        gradient_accumulation_steps=TRAINING.global_batch_size // MICRO_BATCH,
        learning_rate=TRAINING.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=0.1,
        use_cpu=not torch.cuda.is_available(),
        bf16=torch.cuda.is_available(),
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    trainer = Trainer(
        model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
        args=arguments,
        train_dataset=data,  # type: ignore[arg-type]  # any sequence will do
        data_collator=DataCollatorForSeq2Seq(AutoTokenizer.from_pretrained(model)),
    )
    started = clock()
    trainer.train()
    return int(examples.lengths.sum()) / (clock() - started)


def ours(model: Path, examples: TokenExamples, output: Path, threads: int, packing: bool) -> float:
    """Train as the step does."""
    spec = StepSpec(
        kind="train",
        key="0" * 64,
        params={},
        store=StoreSettings(uri=(output / "store").as_uri()),
        execution=Execution(work_dir=str(output), threads=threads, gpus=torch.cuda.device_count()),
    )
    job = TrainingJob(
        model=str(model), output=str(output), training=TRAINING.model_copy(update={"packing": packing}), seed=0
    )
    context = StepContext(spec, open_store(spec.store), threading.Event())
    started = clock()
    fit(job, examples, context)  # the model's loading and saving are counted on this side only
    return int(examples.lengths.sum()) / (clock() - started)


def clock() -> float:
    """Seconds of the wall on a GPU, of this process's computing on a CPU."""
    return time.monotonic() if torch.cuda.is_available() else time.process_time()


def _record(examples: TokenExamples, index: int) -> dict[str, Any]:
    ids, read = examples[index].tolist(), int(examples.prompt_lengths[index])
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": [-100] * read + ids[read:]}


if __name__ == "__main__":
    main()
