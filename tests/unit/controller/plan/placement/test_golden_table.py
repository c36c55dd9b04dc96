"""The table of tests/golden/placement: what is chosen for models of 0.5B to 72B on cards of 40, 80 and 141 GB."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.api.placement import SamplingPlacement, TrainingParallelism, TrainingPlacement
from controller.plan.placement.choice import Cards, Choice
from controller.plan.placement.sampling import choose_sampling, choose_scoring
from controller.plan.placement.sampling_memory import SamplingShape
from controller.plan.placement.shapes import FAMILIES
from controller.plan.placement.training import choose_training
from controller.plan.placement.training_memory import TrainingShape
from w2s_jobs.contracts.settings import TrainingSettings

GOLDEN = Path(__file__).parents[4] / "golden" / "placement"
MODELS = (
    "qwen1.5-0.5b",
    "qwen1.5-1.8b",
    "qwen1.5-4b",
    "qwen1.5-7b",
    "llama-3-8b",
    "qwen1.5-14b",
    "qwen1.5-32b",
    "llama-3-70b",
    "qwen1.5-72b",
)
MEMORY = (40, 80, 141)
TRAININGS = {
    "bfloat16": TrainingSettings(gradient_checkpointing=True),
    "bfloat16 without checkpointing": TrainingSettings(),
    "float32": TrainingSettings(gradient_checkpointing=True, dtype="float32"),
}
AUTO = TrainingPlacement(pool="x")
ONLY_GPUS = TrainingPlacement(pool="x", parallelism=TrainingParallelism(offload=False))


def cards(memory: int, nodes: int = 1, per_node: int = 8) -> Cards:
    return Cards(f"{nodes} x {per_node} x {memory} GB", memory * 1e9, per_node, nodes)


def spread(choice: Choice) -> str:
    how = choice.parallelism
    stage = "plain" if how.zero_stage is None else f"ZeRO-{how.zero_stage}"
    where = f"{choice.nodes}x{choice.gpus}" if choice.nodes > 1 else f"{choice.gpus}"
    text = f"{where} {stage}{' offload' if how.offload else ''} {choice.micro_batch}x{choice.accumulation}"
    return f"{text} ({choice.memory / 1e9:.0f})" if choice.fits else f"- ({choice.memory / 1e9:.0f})"


def training_table(nodes: int) -> Iterator[str]:
    for name, training in TRAININGS.items():
        yield f"\ntraining, {name}, maxSeqLen 1024, batch 128, {nodes} node(s) of 8 GPUs"
        for model in MODELS:
            shape = TrainingShape(FAMILIES[model], training)
            yield row(model, [spread(choose_training(shape, cards(memory, nodes), AUTO)) for memory in MEMORY])


def sampling_table() -> Iterator[str]:
    yield "\nsampling with vLLM in bfloat16, 1024 tokens a sequence, room for 32: tensor-parallel size"
    for model in MODELS:
        shape = SamplingShape(FAMILIES[model], 1024)
        found = [choose_sampling(shape, cards(memory), SamplingPlacement(pool="x")) for memory in MEMORY]
        yield row(model, [f"{choice.gpus} ({choice.memory / 1e9:.0f})" for choice in found])
    yield "\nscoring with a reward model in bfloat16: GPUs over which the layers are spread"
    for model in MODELS:
        found = [choose_scoring(FAMILIES[model], cards(memory), SamplingPlacement(pool="x")) for memory in MEMORY]
        yield row(model, [f"{choice.gpus} ({choice.memory / 1e9:.0f})" for choice in found])


def nodes_table(nodes: int) -> Iterator[str]:
    yield f"\neach node of a training in bfloat16 on up to {nodes} node(s): GB of its disk, GB of its own memory"
    for model in MODELS:
        shape = TrainingShape(FAMILIES[model], TRAININGS["bfloat16"])
        found = [choose_training(shape, cards(memory, nodes), AUTO) for memory in MEMORY]
        yield row(model, [f"{choice.disk / 1e9:.0f}, {choice.host_memory / 1e9:.0f}" for choice in found])


def row(model: str, cells: list[str]) -> str:
    return "".join([f"  {model:14}", *(f"{cell:30}" for cell in cells)]).rstrip()


def test_the_table_is_what_the_arithmetic_chooses() -> None:
    head = [
        "GPUs (nodes x GPUs of each), ZeRO stage, micro-batch x accumulation; in brackets GB a GPU. '-': fits nowhere.",
        row("", [f"{memory} GB" for memory in MEMORY]),
    ]
    text = (
        "\n".join([*head, *training_table(1), *training_table(8), *sampling_table(), *nodes_table(1), *nodes_table(8)])
        + "\n"
    )
    path = GOLDEN / "table.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert path.read_text() == text


def test_the_page_shows_lines_of_the_table() -> None:
    page = (Path(__file__).parents[5] / "docs" / "placement.md").read_text()
    shown = page.split("```")[1].strip().split("\n\n")
    table = (GOLDEN / "table.txt").read_text()
    assert len(shown) >= 4
    assert all(part in table for part in shown), "copy the parts of the table into docs/placement.md again"


@pytest.mark.parametrize(
    ("model", "memory", "nodes", "expected"),
    [
        # 16 bytes a parameter and autocast's 2 are 33 GB of 1.8B: one 80 GB card holds them, one of 40 does not.
        ("qwen1.5-1.8b", 80, 1, (1, None, False)),
        # 8B: 2 + 2 + 12/N bytes at ZeRO-1 are 80 GB on 2 cards and 56 GB on 4.
        ("llama-3-8b", 80, 1, (4, 1, False)),
        # 72B: 16 bytes x 72.3e9 / 8 = 145 GB a card: only the host's memory helps on one node of any card.
        ("qwen1.5-72b", 80, 1, (8, 3, True)),
        # 16 bytes x 72.3e9 / 16 are 72 GB, all that a card has; / 32 leave half of it.
        ("qwen1.5-72b", 80, 8, (32, 3, False)),
    ],
)
def test_known_cases_come_out_as_by_hand(
    model: str, memory: int, nodes: int, expected: tuple[int, int | None, bool]
) -> None:
    shape = TrainingShape(FAMILIES[model], TRAININGS["bfloat16"])
    how = choose_training(shape, cards(memory, nodes), AUTO).parallelism
    assert (how.ranks, how.zero_stage, how.offload) == expected


def test_without_offload_a_large_model_on_one_node_fits_nowhere_and_the_arithmetic_is_said() -> None:
    choice = choose_training(TrainingShape(FAMILIES["qwen1.5-72b"], TRAININGS["bfloat16"]), cards(80), ONLY_GPUS)
    assert not choice.fits
    assert "training 72.3B parameters in bfloat16 at maxSeqLen 1024 fits nowhere on 1 x 8 x 80 GB" in choice.reason
    assert "8 GPUs, ZeRO-3" in choice.reason
    assert "(weights 18.1, gradients 18.1, optimizer 108.4" in choice.reason
    assert "more nodes or GPUs in the pool" in choice.fix
